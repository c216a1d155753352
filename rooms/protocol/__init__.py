"""The wire between page and server: every command and every event, each a type that checks itself.

A frame is one JSON object; `type` says which. Unknown fields and unknown types are refused. `docs/protocol.md`
describes each frame with an example, and a test holds it, this file and `static/rooms/wire/protocol.js` together.

Commands may carry `id`; the answer (`ok` or `error`) names it as `re`. Events with `seq` are numbered per Space without
gaps: whoever misses one asks for a new snapshot (`sync`). Events without `seq` are hints that the next one replaces.
"""

from typing import Union

import msgspec

from rooms.protocol.commands import *  # noqa: F403  (the types of the wire are found here, wherever they stand)
from rooms.protocol.commands import COMMANDS, Command
from rooms.protocol.events import *  # noqa: F403
from rooms.protocol.events import Event

MAX_FRAME_BYTES = 16 * 1024

CLOSE_CODES = {
    1009: "frame too big",
    4400: "another page of yours took this Space over",
    4401: "log in first",
    4403: "removed from this Space",
    4404: "no such Space for you",
    4408: "not in this Space any more; connect to enter again",
    4410: "the Space has ended",
    4429: "too many frames",
}

_decoder: msgspec.json.Decoder[Command] = msgspec.json.Decoder(Union[COMMANDS])  # noqa: UP007
_encoder = msgspec.json.Encoder()


class FrameRefused(Exception):
    """A frame that is no command. `code` goes back to the page; the text says what was wrong with it."""

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
