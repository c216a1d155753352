"""The buffer between one speaker's network and the clock of the node.

Packets go in as they arrive, and the 20 ms clock pulls sound out. Positions are samples at 48 kHz on the speaker's RTP
clock, unwrapped. The timestamp places a packet. If it jumps and the sequence number does not, the sender left silence
out (DTX). If both jump, packets are lost.

The arrival of packets sets the depth of the buffer. Each packet gives an offset, `timestamp - now`; a larger offset is
an earlier packet. All but the latest packets, one in fifty, have to arrive in time, with a margin. The depth grows at
once when the stream stalls: it continues from where it stopped. Otherwise it grows by playing a little slower and
shrinks by playing a little faster. A speaker's clock that is off by some hundred ppm is followed in the same way.
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
BAND = FRAME + 3 * MS  # how long a packet may wait beyond the aim: packets are taken in steps of a frame
LEFT_OVER = 2 * MS  # decoded samples that may be left after a tick
STRETCH_STEP = 5 * MS  # of difference, for each of which one sample in 960 is left out or added
MAX_STRETCH = 16  # samples in 960
WINDOW = 50  # packets in one measurement of arrivals
WINDOWS = 4  # measurements that count
MAX_HELD = 64  # packets
MAX_JUMP = 2 * SAMPLE_RATE  # a packet further from what is played starts a new stream
MAX_CONCEALED = 5  # frames invented in a row before silence sounds better
IDLE = 50  # frames without a packet after which the stream has stopped
DTX_OCTETS = 2  # of a packet after which nothing follows until there is sound (RFC 7587 section 3.1.3)


class Kind(Enum):
    """What the buffer has for the next piece of time."""

    PACKET = "packet"
    LOST = "lost"
    SILENCE = "silence"


class Piece(NamedTuple):
    """The next `samples` of sound. With PACKET, `timestamp` is the speaker's own, unwrapped.

    With LOST, `payload` is the packet that follows directly, if it is there.
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

    Counts of packets: `received`; `lost` (by sequence number: never arrived, or too late); `late` (arrived, but too
    late); `duplicates`; `overfull` (no room); `malformed`. `concealed` counts pieces that the decoder had to invent,
    `jumps` counts streams that restarted at a distant timestamp.
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
        self._missed = 0  # pulls in a row that found nothing
        self._forget_arrivals()

    def _forget_arrivals(self) -> None:
        self._offsets: list[float] = []
        self._best = -math.inf  # the earliest of these offsets
        self._earliest: deque[float] = deque(maxlen=WINDOWS)
        self._latest: deque[float] = deque(maxlen=WINDOWS)

    def insert(self, sequence: int, timestamp: int, payload: bytes, now: float) -> bool:
        """Take a packet that arrived at `now` (seconds). Returns False if it was not kept."""
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
        """Continue from a packet after a stall, unless that makes the buffer too deep."""
        assert self._cursor is not None
        stood_still = self._missed > 0 and not self._held and packet.sequence > self._last_sequence
        if not stood_still or self._cursor - packet.timestamp > MAX_DEPTH:
            return False
        self._cursor = packet.timestamp
        return True

    def next(self) -> Piece:
        """The next piece. Call again until there are as many samples as needed."""
        if self._cursor is None:
            return Piece(Kind.SILENCE, FRAME)
        self._drop_overtaken(self._cursor)
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

    def _drop_overtaken(self, cursor: int) -> None:
        """Drop packets that end before what was played last: the timestamps of packets may overlap."""
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
        """Whether the stream has stopped, or not begun."""
        return self._cursor is None

    def skip(self, samples: int) -> None:
        """Leave out samples that the node missed. Forget the arrivals: those measured meanwhile mean nothing."""
        self._forget_arrivals()
        if self._cursor is not None:
            self._cursor += samples
        while self._cursor is not None and self._held and self._held[0].timestamp < self._cursor:
            self._last_sequence = self._held.pop(0).sequence  # left out here, not lost on the way

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
        """By how many samples in 960 to play faster (above 0) or slower at `now` seconds.

        `buffered` are samples that the caller has decoded and not yet played. The part of them that is left when a tick
        asks for the next packet delays everything and makes nothing safer, so it is played away.
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
        """Where the cursor may be, relative to the node's clock, so that the latest packets arrive in time."""
        latest, earliest = min(self._latest), max(self._earliest)
        aim = min(latest - MARGIN, earliest - MIN_DEPTH)
        return max(aim, earliest - MAX_DEPTH)

    def excess(self, now: float, buffered: int) -> int:
        """By how many samples the buffer is deeper than needed. Below 0 it is too shallow."""
        if self._cursor is None or not self._latest:
            return 0
        return int(self._aim() - (self._cursor - buffered - now * SAMPLE_RATE))

    def arrived(self, timestamp: int, now: float) -> float:
        """When a packet of this timestamp came or would have come without jitter, in seconds of the clock."""
        best = max(self._best, *self._earliest, -math.inf)
        return (timestamp - best) / SAMPLE_RATE if math.isfinite(best) else now

    def depth(self, now: float) -> float:
        """The seconds between the arrival of a packet without jitter and its playing."""
        if self._cursor is None or not self._earliest:
            return START_DEPTH / SAMPLE_RATE
        return (max(self._earliest) - (self._cursor - now * SAMPLE_RATE)) / SAMPLE_RATE
