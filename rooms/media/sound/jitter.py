"""The buffer between one speaker's network and the clock of the node.

Packets go in as they arrive, the 20 ms clock pulls sound out. Everything is counted in samples at 48 kHz on the
speaker's RTP clock, made unwrapping. A packet is placed by its timestamp: a jump of the timestamp without a jump of the
sequence number is silence that the sender did not send (DTX), a jump of both is loss.

How deep the buffer is follows from when packets arrive. For each one ``timestamp - now`` is noted (larger: earlier);
the one in fifty that comes latest has to be there in time, with a margin. The depth grows at once when the stream
stalls, by playing on from where it stopped, and otherwise by playing a little slower; it shrinks by playing a little
faster, so that a speaker's clock which is off by some hundred ppm is followed in the same way.
"""

import math
from bisect import insort
from collections import deque
from enum import Enum
from typing import NamedTuple

from rooms.media.numbers import Unwrapper
from rooms.media.sound.opus import samples_of
from rooms.media.units import FRAME, MS, SAMPLE_RATE

START_DEPTH = FRAME
MIN_DEPTH = 20 * MS
MAX_DEPTH = 200 * MS
MARGIN = 10 * MS
BAND = FRAME + 3 * MS  # what a packet may wait beyond the aim: they are taken in steps of a frame
LEFT_OVER = 2 * MS  # decoded samples that may always be left when a tick has taken its own
STRETCH_STEP = 5 * MS  # for each of it, a sample of 960 is played faster or slower
MAX_STRETCH = 16  # such samples
WINDOW = 50  # packets whose arrival makes up one measurement
WINDOWS = 4
MAX_HELD = 64  # packets
MAX_JUMP = 2 * SAMPLE_RATE  # further than this from what is being played, a packet starts a new stream
MAX_CONCEALED = 5  # frames invented in a row before silence is more honest
IDLE = 50  # frames without a packet after which the stream is taken to have stopped
DTX_OCTETS = 2  # a packet this short says that nothing follows until somebody speaks (RFC 7587 section 3.1.3)


class Kind(Enum):
    """What the buffer has for the next stretch of time."""

    PACKET = "packet"
    LOST = "lost"
    SILENCE = "silence"


class Piece(NamedTuple):
    """The next ``samples`` of sound. With PACKET, ``timestamp`` is the speaker's own, unwrapped.

    With LOST, ``payload`` is the packet that follows at once, if there is one.
    """

    kind: Kind
    samples: int
    payload: bytes = b""
    timestamp: int = 0


class _Held(NamedTuple):
    timestamp: int
    sequence: int
    samples: int
    payload: bytes


class JitterBuffer:
    """Orders, times and counts the packets of one speaker.

    Counts: ``received``; ``lost`` (by sequence number: never arrived, or too late); ``late`` (of those, arrived too
    late); ``duplicates``; ``overfull`` (there was no room for it); ``malformed``; ``concealed`` (pieces that the
    decoder had to invent); ``jumps`` (streams begun anew).
    """

    def __init__(self) -> None:
        self.received = self.lost = self.late = self.concealed = self.jumps = 0
        self.duplicates = self.overfull = self.malformed = 0
        self._held: list[_Held] = []
        self._restart()

    def _restart(self) -> None:
        self._sequences, self._timestamps = Unwrapper(16), Unwrapper(32)
        self._cursor: int | None = None  # timestamp of the next sample to give out
        self._held.clear()
        self._last_sequence = -1
        self._last_was_dtx = False
        self._ended = False  # the speaker said that nothing follows
        self._missed = 0  # pulls in a row that found nothing at all
        self._forget_arrivals()

    def _forget_arrivals(self) -> None:
        self._offsets: list[float] = []
        self._best = -math.inf  # the earliest of them
        self._earliest: deque[float] = deque(maxlen=WINDOWS)
        self._latest: deque[float] = deque(maxlen=WINDOWS)

    def insert(self, sequence: int, timestamp: int, payload: bytes, now: float) -> bool:
        """Take a packet that arrived at ``now`` (seconds); False where it is malformed, doubled or too late."""
        samples = samples_of(payload)
        if samples == 0:
            self.malformed += 1
            return False
        self.received += 1
        self._ended = False
        packet = self._place(sequence, timestamp, samples, payload)
        self._note_arrival(packet.timestamp - now * SAMPLE_RATE)
        if self._cursor is None:
            self._begin(packet)
        elif packet.timestamp + samples <= self._cursor and not self._resume(packet):
            self.late += 1
            return False
        if len(self._held) >= MAX_HELD:
            self.overfull += 1
            return False
        if any(held.timestamp == packet.timestamp for held in self._held):
            self.duplicates += 1
            return False
        insort(self._held, packet)
        return True

    def _place(self, sequence: int, timestamp: int, samples: int, payload: bytes) -> _Held:
        extended = self._timestamps.unwrap(timestamp)
        if self._cursor is not None and abs(extended - self._cursor) > MAX_JUMP:
            self.jumps += 1
            self._restart()
            extended = self._timestamps.unwrap(timestamp)
        return _Held(extended, self._sequences.unwrap(sequence), samples, payload)

    def _begin(self, packet: _Held) -> None:
        self._cursor = packet.timestamp - START_DEPTH
        self._last_sequence = packet.sequence - 1

    def _resume(self, packet: _Held) -> bool:
        """Play on from a packet for which the stream stood still, if that does not make the buffer too deep."""
        assert self._cursor is not None
        stood_still = self._missed > 0 and not self._held and packet.sequence > self._last_sequence
        if not stood_still or self._cursor - packet.timestamp > MAX_DEPTH:
            return False
        self._cursor = packet.timestamp
        return True

    def next(self) -> Piece:
        """Give out the next piece; the caller asks again until it has the samples that it needs."""
        if self._cursor is None:
            return Piece(Kind.SILENCE, FRAME)
        self._leave_out_overtaken(self._cursor)
        if not self._held:
            return self._nothing_held()
        head = self._held[0]
        if head.timestamp <= self._cursor:
            return self._give_out(self._held.pop(0))
        self._missed = 0
        samples = min(FRAME, head.timestamp - self._cursor)
        self._cursor += samples
        if self._last_was_dtx or head.sequence == self._last_sequence + 1:
            return Piece(Kind.SILENCE, samples)
        self.concealed += 1
        follows = self._cursor == head.timestamp
        return Piece(Kind.LOST, samples, head.payload if follows else b"")

    def _leave_out_overtaken(self, cursor: int) -> None:
        """Throw away what would sound before what was played last: packets may say that they overlap."""
        while self._held and self._held[0].timestamp + self._held[0].samples <= cursor:
            self._last_sequence = self._held.pop(0).sequence
            self.late += 1

    def _give_out(self, packet: _Held) -> Piece:
        self._cursor = packet.timestamp + packet.samples
        self.lost += max(0, packet.sequence - self._last_sequence - 1)
        self._last_sequence = packet.sequence
        self._last_was_dtx = len(packet.payload) <= DTX_OCTETS
        self._missed = 0
        return Piece(Kind.PACKET, packet.samples, packet.payload, packet.timestamp)

    def _nothing_held(self) -> Piece:
        assert self._cursor is not None
        self._missed += 1
        self._cursor += FRAME
        if self._missed > IDLE:
            self._restart()
            return Piece(Kind.SILENCE, FRAME)
        if self._last_was_dtx or self._ended or self._missed > MAX_CONCEALED:
            return Piece(Kind.SILENCE, FRAME)
        self.concealed += 1
        return Piece(Kind.LOST, FRAME)

    def end(self) -> None:
        """Take what is missing for silence until another packet comes: the speaker said goodbye."""
        self._ended = True

    @property
    def is_idle(self) -> bool:
        """Whether nothing has come for so long that there is nothing to wait for."""
        return self._cursor is None

    def skip(self, samples: int) -> None:
        """Leave out what the node has slept through. What it measured of arrivals then says nothing."""
        self._forget_arrivals()
        if self._cursor is not None:
            self._cursor += samples
        while self._cursor is not None and self._held and self._held[0].timestamp < self._cursor:
            self._last_sequence = self._held.pop(0).sequence  # left out by us, not lost on its way

    def _note_arrival(self, offset: float) -> None:
        self._offsets.append(offset)
        self._best = max(self._best, offset)
        if len(self._offsets) < WINDOW:
            return
        self._offsets.sort()
        self._latest.append(self._offsets[1])
        self._earliest.append(self._offsets[-1])
        self._offsets.clear()
        self._best = -math.inf

    def stretch(self, now: float, buffered: int) -> int:
        """Say by how many samples of 960 to play faster (above 0) or slower at the tick of ``now`` seconds.

        ``buffered``: samples that the caller has decoded and not yet played. What is left of them when a tick asks for
        the next packet makes all later by as much and nothing safer, so it is played away.
        """
        if self._cursor is None or not self._latest:
            return 0
        left_over = buffered % FRAME
        room = self._aim() - (self._cursor - (buffered - left_over) - now * SAMPLE_RATE)
        if room < 0:
            return -min(MAX_STRETCH, 1 + int(-room) // STRETCH_STEP)
        excess = left_over + (room - FRAME if room > BAND else 0)
        return min(MAX_STRETCH, 1 + int(excess) // STRETCH_STEP) if excess > LEFT_OVER else 0

    def _aim(self) -> float:
        """Where the cursor may be, relative to the node's clock, when a packet is asked for: the latest is in time."""
        latest, earliest = min(self._latest), max(self._earliest)
        aim = min(latest - MARGIN, earliest - MIN_DEPTH)
        return max(aim, earliest - MAX_DEPTH)

    def excess(self, now: float, buffered: int) -> int:
        """Return how many samples deeper than needed the buffer is (below 0: too shallow)."""
        if self._cursor is None or not self._latest:
            return 0
        return int(self._aim() - (self._cursor - buffered - now * SAMPLE_RATE))

    def arrived(self, timestamp: int, now: float) -> float:
        """Return when a packet of this time came, or would have come without jitter, in seconds of the node's clock."""
        best = max(self._best, *self._earliest, -math.inf)
        return (timestamp - best) / SAMPLE_RATE if math.isfinite(best) else now

    def depth(self, now: float) -> float:
        """Return the seconds between the newest packet's arrival on time and its being played."""
        if self._cursor is None or not self._earliest:
            return START_DEPTH / SAMPLE_RATE
        return (max(self._earliest) - (self._cursor - now * SAMPLE_RATE)) / SAMPLE_RATE
