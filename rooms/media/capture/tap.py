"""Collects the packets of a turn at the microphone, undecoded, or of the mix, in chunks of at most 5 s.

Within a chunk the RTP time places a packet, so jitter of the network is not audible. The room time places a chunk if
RTP time and room time have drifted apart by more than DRIFT.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from rooms.media.capture import ogg
from rooms.media.contract.standing import FOREVER_MS
from rooms.media.units import FRAME, MS

CHUNK_MS = 5000
DRIFT = 40 * MS  # samples by which RTP time and room time may differ before the next chunk is anchored again
LATE = 500 * MS  # how long to wait for the last packets before the end
BREAK = 1000 * MS  # a difference that is no drift: the stream has restarted, and so does the chunk


@dataclass(frozen=True)
class Chunk:
    """A closed piece of one track. `turn` and `participant` are None for the mix. Times are ms of room time."""

    space: str
    turn: str | None
    participant: str | None
    start_ms: int
    duration_ms: int
    data: bytes

    @property
    def key(self) -> str:
        """The name in the storage. Sorting by it is sorting by time."""
        return f"{self.space}/{self.turn or 'mix'}/{self.start_ms:010d}.opus"

    @property
    def sha256(self) -> str:
        """The SHA-256 hash of the data, in hex."""
        return hashlib.sha256(self.data).hexdigest()


def chunk_from(data: bytes) -> Chunk:
    """Read a chunk from its file. Raises OggError if it is none."""
    content = ogg.read(data)
    tags = content.tags
    try:
        start_ms, space = int(tags["START_MS"]), tags["SPACE"]
    except (KeyError, ValueError) as error:
        raise ogg.OggError("not a chunk: tags are missing") from error
    return Chunk(space, tags.get("TURN"), tags.get("PARTICIPANT"), start_ms, content.samples // MS, data)


class Tap:
    """One track. Positions are samples at 48 kHz of room time, if nothing else is said."""

    def __init__(self, space: str, turn: str | None, participant: str | None, ship: Callable[[Chunk], None]) -> None:
        self._space, self._turn, self._participant, self._ship = space, turn, participant, ship
        self._anchor: int | None = None  # the room time of RTP time 0
        self._writer: ogg.OggWriter | None = None
        self._start_ms = self._start = 0  # room time at which the open chunk begins, in ms and in samples
        self._end = 0  # room time at which the last packet ends
        self._from, self._until = 0, FOREVER_MS * MS

    @property
    def is_open(self) -> bool:
        """Whether a chunk has begun and is not closed."""
        return self._writer is not None

    def limit(self, from_ms: int, until_ms: int) -> None:
        """Keep only what lies between these room times. While a Space moves, another node keeps the rest."""
        self._from, self._until = from_ms * MS, until_ms * MS

    def keeps(self, position: int) -> bool:
        """Whether packets of this room time are kept."""
        return self._from <= position < self._until

    def write(self, payload: bytes, samples: int, timestamp: int, position: int) -> None:
        """Add a packet of RTP time `timestamp` (unwrapped) that came at `position`."""
        if position < self._from or self._due(timestamp, position) + samples > self._until:
            return
        if self._writer is not None and self._begins_new_chunk(timestamp, position):
            self.close()
        if self._writer is None:
            self._open(timestamp, position)
        assert self._writer is not None
        assert self._anchor is not None
        place = self._anchor + timestamp
        if place < self._end or place + samples > self._until:  # repeated by a restarted stream, or not ours
            return
        self._writer.write(payload, place - self._start_ms * MS)
        self._end = place + samples

    def tick(self, position: int) -> None:
        """Close a chunk whose 5 s are over, or whose rest another node keeps, even without packets."""
        if self._writer is not None and position >= min((self._start_ms + CHUNK_MS) * MS, self._until + LATE):
            self.close()

    def close(self) -> None:
        """Ship the open chunk, if it has packets."""
        if self._writer is None:
            return
        data, self._writer = self._writer.finish(), None
        if self._end <= self._start:
            return
        duration = (self._end - self._start_ms * MS) // MS
        self._ship(Chunk(self._space, self._turn, self._participant, self._start_ms, duration, data))

    def _due(self, timestamp: int, position: int) -> int:
        """The room time of a packet, which may have come late: by its RTP time, if that is known."""
        place = position if self._anchor is None else self._anchor + timestamp
        return place if abs(position - place) <= BREAK else position

    def _begins_new_chunk(self, timestamp: int, position: int) -> bool:
        assert self._anchor is not None
        place = self._anchor + timestamp
        return place + FRAME > self._start + CHUNK_MS * MS or abs(position - place) > BREAK

    def _open(self, timestamp: int, position: int) -> None:
        place = self._from - 1 if self._anchor is None else self._anchor + timestamp
        if place < self._from or abs(position - place) > DRIFT:
            self._anchor = max(position, self._end) - timestamp
        assert self._anchor is not None
        self._start = max(self._anchor + timestamp, self._end)
        self._start_ms = self._start // MS
        self._writer = ogg.OggWriter(self._tags())

    def _tags(self) -> dict[str, str]:
        tags = {"SPACE": self._space, "TURN": self._turn, "PARTICIPANT": self._participant}
        return {name: value for name, value in tags.items() if value} | {"START_MS": str(self._start_ms)}
