"""Messages between a node and its HLS writer: pieces of the mix, one datagram each over a local socket."""

from typing import Literal

import msgspec

WRITES, FAILS = b"writes", b"fails"  # the writer reports each change of these
MAX_WORD = 16  # octets

End = Literal["over", "unheard", "moved"]


class Piece(msgspec.Struct, tag="piece", array_like=True, frozen=True):
    """Some frames of 20 ms of one Space.

    `zero` is the Unix time at which its room time begins, `position` the room time of the first sample. `pcm` has 960
    int16 samples per packet, or nothing, which is silence. `levels` are 0 to 100 by participant.
    """

    folder: str
    zero: float
    position: int
    packets: list[bytes]
    pcm: bytes
    levels: dict[str, int] = {}


class Ended(msgspec.Struct, tag="ended", array_like=True, frozen=True):
    """The end of this Space's files: it is `over`, has no HLS listeners (`unheard`), or has `moved` to another node."""

    folder: str
    how: End


_decoder: msgspec.msgpack.Decoder[Piece | Ended] = msgspec.msgpack.Decoder(Piece | Ended)
_encoder = msgspec.msgpack.Encoder()


def encode(message: Piece | Ended) -> bytes:
    """A message as one datagram."""
    return _encoder.encode(message)


def parse(data: bytes) -> Piece | Ended:
    """Read a datagram. Raises ValueError if it is none of these messages."""
    return _decoder.decode(data)
