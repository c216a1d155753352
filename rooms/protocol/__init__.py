"""The wire between page and server: every command and every event, each a type that checks itself.

A frame is one JSON object; `type` says which. Unknown fields and unknown types are refused. `docs/protocol.md`
describes each frame with an example, and a test holds it, this file and `static/rooms/wire/protocol.js` together.

Commands may carry `id`; the answer (`ok` or `error`) names it as `re`. Events with `seq` are numbered per Space without
gaps, and a page that misses one asks for a new snapshot (`sync`). Events without `seq` are hints: the next one replaces
them.
"""

from enum import IntEnum
from typing import Union

import msgspec

from rooms.protocol.commands import (
    AcceptNotice,
    Admit,
    Ask,
    BlockPerson,
    Command,
    Decline,
    End,
    Hear,
    Invite,
    Leave,
    Microphone,
    MoveToAudience,
    MutePerson,
    Offer,
    Ping,
    React,
    Relay,
    RemovePerson,
    StepDown,
    Sync,
    UnmutePerson,
    Withdraw,
)
from rooms.protocol.events import (
    Answer,
    Asked,
    Audience,
    Connection,
    Ended,
    Error,
    Event,
    Files,
    HostAway,
    HostBack,
    IceServers,
    InEffect,
    Invited,
    Levels,
    Ok,
    Reactions,
    Removed,
    RequestGone,
    Snapshot,
    SoundMoved,
    SoundMoving,
    Voice,
    VoiceGone,
    Waiting,
)

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
EVENTS: tuple[type[Event], ...] = (
    Snapshot,
    Voice,
    VoiceGone,
    Asked,
    RequestGone,
    Removed,
    HostAway,
    HostBack,
    Ended,
    Audience,
    Reactions,
    Levels,
    InEffect,
    Connection,
    SoundMoved,
    SoundMoving,
    Waiting,
    Answer,
    Files,
    IceServers,
    Ok,
    Invited,
    Error,
)
MAX_FRAME_BYTES = 16 * 1024


class Close(IntEnum):
    """Why the server closes a websocket: the code of its close frame (RFC 6455 section 7.4)."""

    TOO_BIG = 1009  # a frame above MAX_FRAME_BYTES
    TAKEN_OVER = 4400  # another page of the same person took this Space over
    LOG_IN = 4401  # log in first
    REMOVED = 4403  # removed from this Space
    NOT_FOUND = 4404  # no such Space for this person
    LEFT = 4408  # not in this Space any more; connect to enter again
    ENDED = 4410  # the Space has ended
    TOO_MANY_FRAMES = 4429


_decoder: msgspec.json.Decoder[Command] = msgspec.json.Decoder(Union[COMMANDS])  # noqa: UP007
_encoder = msgspec.json.Encoder()


class FrameRefused(Exception):
    """A frame that is no command. `code` goes back to the page. The text says what was wrong."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


def parse(frame: str) -> Command:
    """One text frame -> a command. Raises FrameRefused (`bad_json`, `bad_frame`, `too_big`)."""
    if len(frame.encode(errors="surrogatepass")) > MAX_FRAME_BYTES:
        raise FrameRefused("too_big", f"a frame has at most {MAX_FRAME_BYTES} bytes")
    try:
        return _decoder.decode(frame)
    except msgspec.ValidationError as error:
        raise FrameRefused("bad_frame", str(error)) from None
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise FrameRefused("bad_json", str(error)) from None


def name_of(frame: Command | Event) -> str:
    """The name that a command or an event has on the wire."""
    return str(frame.__struct_config__.tag)


def encode(event: Event) -> str:
    """An event -> one text frame."""
    return _encoder.encode(event).decode()
