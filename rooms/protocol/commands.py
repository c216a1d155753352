"""Commands: what a page sends to the server."""

from typing import Annotated, Literal

from django.core.exceptions import ValidationError
from msgspec import Meta, Struct
from msgspec.structs import force_setattr

from accounts.handles import STORED_PATTERN
from accounts.names.texts import plain_text

REACTIONS = ("❤️", "👏", "😂", "😮", "😢", "🔥", "💯", "🎉", "👍", "🙏")

Uuid = Annotated[str, Meta(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
Handle = Annotated[str, Meta(pattern=STORED_PATTERN)]
CommandId = Annotated[int, Meta(ge=0, le=2**31)]


class Command(Struct, forbid_unknown_fields=True, kw_only=True, tag_field="type", frozen=True):
    """What every command is. The answer names `id` as `re`."""

    id: CommandId | None = None


class Sync(Command, tag="sync", kw_only=True, frozen=True):
    """Asks for a new snapshot."""


class Ping(Command, tag="ping", kw_only=True, frozen=True):
    """Asks whether the connection still works. Answered by `ok`."""


class Offer(Command, tag="offer", kw_only=True, frozen=True):
    """Connects the sender's sound: an SDP offer with one audio section. Answered by `answer`, or by `error`.

    With `restart` it gives the existing connection new ICE credentials (RFC 8445 section 9). `boot` is the one that has
    that connection, as `answer` named it. While the sound moves, new connections get another one.
    """

    sdp: Annotated[str, Meta(min_length=1, max_length=12_000)]
    restart: bool = False
    boot: Annotated[str, Meta(max_length=64)] = ""


class Hear(Command, tag="hear", kw_only=True, frozen=True):
    """Starts or stops hearing the Space as files (HLS). Answered by `files` or `ok`, or by `error`.

    `chosen`: the member chose files, and did not get them for want of a place. They leave the queue.
    """

    files: bool
    chosen: bool = False


class Relay(Command, tag="relay", kw_only=True, frozen=True):
    """Asks for the TURN servers. Answered by `ice_servers`, or by `error`."""


class Ask(Command, tag="ask", kw_only=True, frozen=True):
    """Asks to speak."""

    text: Annotated[str, Meta(max_length=140)] = ""

    def __post_init__(self) -> None:
        try:
            force_setattr(self, "text", plain_text(self.text))
        except ValidationError as error:
            raise ValueError(error.messages[0]) from None


class Withdraw(Command, tag="withdraw", kw_only=True, frozen=True):
    """Takes the sender's request to speak back."""


class Admit(Command, tag="admit", kw_only=True, frozen=True):
    """Lets the person of this request speak."""

    request: Uuid


class Decline(Command, tag="decline", kw_only=True, frozen=True):
    """Declines this request to speak."""

    request: Uuid


class AcceptNotice(Command, tag="accept_notice", kw_only=True, frozen=True):
    """Confirms the notice that the sound of the sender's microphone is kept for safety review."""


class Microphone(Command, tag="microphone", kw_only=True, frozen=True):
    """Opens or closes the sender's microphone."""

    open: bool


class StepDown(Command, tag="step_down", kw_only=True, frozen=True):
    """Gives the sender's microphone back. They go on listening."""


class OnPerson(Command, kw_only=True, frozen=True):
    """A command about another person in the Space."""

    participant: Uuid


class MutePerson(OnPerson, tag="mute", kw_only=True, frozen=True):
    """Closes a speaker's microphone. Only the host opens it again."""


class UnmutePerson(OnPerson, tag="unmute", kw_only=True, frozen=True):
    """Lets a muted speaker open the microphone again."""


class MoveToAudience(OnPerson, tag="move_to_audience", kw_only=True, frozen=True):
    """Takes a speaker's microphone."""


class RemovePerson(OnPerson, tag="remove", kw_only=True, frozen=True):
    """Removes a person from this Space for good."""


class BlockPerson(OnPerson, tag="block", kw_only=True, frozen=True):
    """Removes a person and keeps them out of all Spaces of the sender."""


class Invite(Command, tag="invite", kw_only=True, frozen=True):
    """Lets more people, by their handles, into a Space for named people."""

    handles: Annotated[list[Handle], Meta(min_length=1, max_length=100)]


class React(Command, tag="react", kw_only=True, frozen=True):
    """Sends one emoji."""

    emoji: Literal[REACTIONS]  # type: ignore[valid-type]


class Leave(Command, tag="leave", kw_only=True, frozen=True):
    """Leaves the Space."""


class End(Command, tag="end", kw_only=True, frozen=True):
    """Ends the Space for everyone."""
