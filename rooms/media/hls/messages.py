"""What a node hands to its writer: pieces of the mix, one message each over a local socket."""

from typing import Literal

import msgspec

WRITES, FAILS = b"writes", b"fails"  # what the writer says of its folder, each time that it changes
MAX_WORD = 16  # octets

End = Literal["over", "unheard", "moved"]


class Piece(msgspec.Struct, tag="piece", array_like=True, frozen=True):
    """Some frames of 20 ms of one Space. ``zero`` is the Unix time at which its room time begins, ``position`` the
    room time of the first sample; ``pcm`` has 960 int16 samples for each packet, or nothing, which is silence;
    ``levels`` tells how loud each participant is, 0 to 100."""

    folder: str
    zero: float
    position: int
    packets: list[bytes]
    pcm: bytes
    levels: dict[str, int] = {}


class Ended(msgspec.Struct, tag="ended", array_like=True, frozen=True):
    """No more of this Space: it is ``over``, nobody hears it this way (``unheard``), or another node has it."""

    folder: str
    how: End


_decoder: msgspec.msgpack.Decoder[Piece | Ended] = msgspec.msgpack.Decoder(Piece | Ended)
_encoder = msgspec.msgpack.Encoder()


def encode(message: Piece | Ended) -> bytes:
    """A message as one datagram."""
    return _encoder.encode(message)


def parse(data: bytes) -> Piece | Ended:
    """Read a datagram; raise ValueError where it is none of ours."""
    return _decoder.decode(data)
