"""What a media node tells the web side about its Spaces. Every hint may get lost: the rows and the standing count."""

from typing import Literal

import msgspec

Word = Literal["good", "fair", "poor"]
Why = Literal["", "loss", "jitter", "delay"]
Way = Literal["", "in", "out"]


class Levels(msgspec.Struct, frozen=True):
    """How loud each voice of a Space is: participant -> 0 to 100. Five times a second while a voice is audible."""

    space: str
    levels: dict[str, int]


class InEffect(msgspec.Struct, frozen=True):
    """The node has applied this version of a Space's standing."""

    space: str
    version: int


class PeerState(msgspec.Struct, frozen=True):
    """The sound of a participant is connected, or gone."""

    space: str
    participant: str
    state: Literal["connected", "gone"]


class ConnectionState(msgspec.Struct, frozen=True):
    """How the connection of one participant is, for that participant alone. Sent on a change and while it is not good.

    `way` is `in` (what they hear) or `out` (what others hear of them). `why` and `way` are empty while all is good.
    `arrives` is false if their microphone is open and no packet of it comes.
    """

    space: str
    participant: str
    quality: Word
    why: Why
    way: Way
    arrives: bool


Hint = Levels | InEffect | PeerState | ConnectionState
