"""Commands: what a page sends to the server."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from accounts.handles import STORED_PATTERN

REACTIONS = ("❤️", "👏", "😂", "😮", "😢", "🔥", "💯", "🎉", "👍", "🙏")

Uuid = Annotated[str, Meta(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
Handle = Annotated[str, Meta(pattern=STORED_PATTERN)]
CommandId = Annotated[int, Meta(ge=0, le=2**31)]


class Command(Struct, forbid_unknown_fields=True, kw_only=True, tag_field="type", frozen=True):
    id: CommandId | None = None


class Sync(Command, tag="sync", kw_only=True, frozen=True):
    """Send me a new snapshot."""


class Ping(Command, tag="ping", kw_only=True, frozen=True):
    """Say that you are there. Answered by `ok`."""


class Offer(Command, tag="offer", kw_only=True, frozen=True):
    """Connect my sound: an SDP offer with one audio section. Answered by `answer`, or by `error`.

    With `restart` it gives the connection that there is new ICE credentials, and changes nothing else. `node` is the
    one that has it, as `answer` named it: while the sound moves, that may not be the one of the Space any more."""

    sdp: Annotated[str, Meta(min_length=1, max_length=12_000)]
    restart: bool = False
    node: Annotated[str, Meta(max_length=64)] = ""


class Hear(Command, tag="hear", kw_only=True, frozen=True):
    """I hear the Space as files (HLS) from now on, or not any more. Answered by `files` or `ok`, or by `error`.

    `chosen`: because I want to, not for want of a place in the sound, for which I do not wait then."""

    files: bool
    chosen: bool = False


class Relay(Command, tag="relay", kw_only=True, frozen=True):
    """Name the TURN servers to me. Answered by `ice_servers`, or by `error`."""


class Ask(Command, tag="ask", kw_only=True, frozen=True):
    """I ask to speak."""

    text: Annotated[str, Meta(max_length=140, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""


class Withdraw(Command, tag="withdraw", kw_only=True, frozen=True):
    """I take my request to speak back."""


class Admit(Command, tag="admit", kw_only=True, frozen=True):
    """Let the person of this request speak."""

    request: Uuid


class Decline(Command, tag="decline", kw_only=True, frozen=True):
    """Decline this request to speak."""

    request: Uuid


class AcceptNotice(Command, tag="accept_notice", kw_only=True, frozen=True):
    """I have read that the sound of my microphone is kept for safety review."""


class Microphone(Command, tag="microphone", kw_only=True, frozen=True):
    """Open or close my microphone."""

    open: bool


class StepDown(Command, tag="step_down", kw_only=True, frozen=True):
    """I give my microphone back and go on listening."""


class OnPerson(Command, kw_only=True, frozen=True):
    participant: Uuid


class MutePerson(OnPerson, tag="mute", kw_only=True, frozen=True):
    """Close a speaker's microphone; only the host opens it again."""


class UnmutePerson(OnPerson, tag="unmute", kw_only=True, frozen=True):
    """Let a muted speaker open the microphone again."""


class MoveToAudience(OnPerson, tag="move_to_audience", kw_only=True, frozen=True):
    """Take a speaker's microphone."""


class RemovePerson(OnPerson, tag="remove", kw_only=True, frozen=True):
    """Remove a person from this Space for good."""


class BlockPerson(OnPerson, tag="block", kw_only=True, frozen=True):
    """Remove a person and keep them out of all my Spaces."""


class Invite(Command, tag="invite", kw_only=True, frozen=True):
    """Let further people, by their handles, into a Space of named people."""

    handles: Annotated[list[Handle], Meta(min_length=1, max_length=100)]


class React(Command, tag="react", kw_only=True, frozen=True):
    """Send one emoji."""

    emoji: Literal[REACTIONS]  # type: ignore[valid-type]


class Leave(Command, tag="leave", kw_only=True, frozen=True):
    """I leave the Space."""


class End(Command, tag="end", kw_only=True, frozen=True):
    """End the Space for everyone."""


COMMANDS: tuple[type[Command], ...] = (
    Sync,
    Ping,
    Offer,
    Hear,
    Relay,
    Ask,
    Withdraw,
    Admit,
    Decline,
    AcceptNotice,
    Microphone,
    StepDown,
    MutePerson,
    UnmutePerson,
    MoveToAudience,
    RemovePerson,
    BlockPerson,
    Invite,
    React,
    Leave,
    End,
)
