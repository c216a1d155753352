"""Takes the packets of a turn at the microphone, undecoded, and the listeners' mix, into chunks of at most 5 s.

Within a chunk a packet is placed by its RTP time, so that what the network did to it cannot be heard. A chunk begins
where the room clock says, as far as the two clocks have drifted apart by more than can be told by ear.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from rooms.media.capture import ogg
from rooms.media.contract.standing import FOREVER_MS
from rooms.media.units import FRAME, MS

CHUNK_MS = 5000
DRIFT = 40 * MS  # samples by which RTP time and room time may differ before a new chunk is anchored again
LATE = 500 * MS  # for how long the last packets before the end are waited for
BREAK = 1000 * MS  # a difference that is no drift: the stream has begun anew, and so does a chunk


@dataclass(frozen=True)
class Chunk:
    """A closed piece of one track. ``turn`` and ``participant`` are None for the mix; times in ms of room time."""

    space: str
    turn: str | None
    participant: str | None
    start_ms: int
    duration_ms: int
    data: bytes

    @property
    def key(self) -> str:
        """Name in the storage; sorting by it is sorting by time."""
        return f"{self.space}/{self.turn or 'mix'}/{self.start_ms:010d}.opus"

    @property
    def sha256(self) -> str:
        """Hash of the data, in hex."""
        return hashlib.sha256(self.data).hexdigest()


def chunk_from(data: bytes) -> Chunk:
    """Make a chunk of the file that holds it; OggError where it is none."""
    content = ogg.read(data)
    tags = content.tags
    try:
        start_ms, space = int(tags["START_MS"]), tags["SPACE"]
    except (KeyError, ValueError) as error:
        raise ogg.OggError("not a chunk: tags are missing") from error
    return Chunk(space, tags.get("TURN"), tags.get("PARTICIPANT"), start_ms, content.samples // MS, data)


class Tap:
    """One track. Positions are samples at 48 kHz, of room time where nothing else is said."""

    def __init__(self, space: str, turn: str | None, participant: str | None, ship: Callable[[Chunk], None]) -> None:
        self._space, self._turn, self._participant, self._ship = space, turn, participant, ship
        self._anchor: int | None = None  # room time of RTP time 0
        self._writer: ogg.OggWriter | None = None
        self._start_ms = self._start = 0  # room time at which the open chunk begins, in ms and in samples
        self._end = 0  # room time at which the last packet ends
        self._from, self._until = 0, FOREVER_MS * MS

    @property
    def is_open(self) -> bool:
        """Whether a chunk has begun that is not closed yet."""
        return self._writer is not None

    def limit(self, from_ms: int, until_ms: int) -> None:
        """Keep only what lies between these room times: while a Space moves, another node keeps the rest."""
        self._from, self._until = from_ms * MS, until_ms * MS

    def keeps(self, position: int) -> bool:
        """Whether what comes at this room time is kept."""
        return self._from <= position < self._until

    def write(self, payload: bytes, samples: int, timestamp: int, position: int) -> None:
        """Add a packet of RTP time ``timestamp`` (unwrapped) that came at ``position``."""
        if position < self._from or self._due(timestamp, position) + samples > self._until:
            return
        if self._writer is not None and self._begins_new_chunk(timestamp, position):
            self.close()
        if self._writer is None:
            self._open(timestamp, position)
        assert self._writer is not None
        assert self._anchor is not None
        place = self._anchor + timestamp
        if place < self._end or place + samples > self._until:  # once more, from a stream begun anew; or not ours
            return
        self._writer.write(payload, place - self._start_ms * MS)
        self._end = place + samples

    def tick(self, position: int) -> None:
        """Close a chunk whose 5 s are over, or whose rest is another's, though nothing comes any more."""
        if self._writer is not None and position >= min((self._start_ms + CHUNK_MS) * MS, self._until + LATE):
            self.close()

    def close(self) -> None:
        """Ship what there is."""
        if self._writer is None:
            return
        data, self._writer = self._writer.finish(), None
        if self._end <= self._start:
            return
        duration = (self._end - self._start_ms * MS) // MS
        self._ship(Chunk(self._space, self._turn, self._participant, self._start_ms, duration, data))

    def _due(self, timestamp: int, position: int) -> int:
        """Where a packet belongs, which may come later than it should: by its RTP time, where that is known."""
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
