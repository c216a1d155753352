"""The packets of one track as samples at their places in room time: mono, 48 kHz, float32, full scale 1.0.

Positions are samples since the start of the Space. If nothing was sent, there is silence of the same length. Only a gap
of a few packets inside a stream is concealed as it was live, because the network made it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rooms.media.capture import ogg
from rooms.media.sound.opus import Decoder, OpusError
from rooms.media.units import MS, SAMPLE_RATE

Samples = npt.NDArray[np.float32]

CONCEALED = 60 * MS  # the longest gap that counts as lost packets and not as silence
FADE = 5 * MS // 2  # at the edges of silence, against clicks
CROSSFADE = 5 * MS
FULL_SCALE = np.float32(32768.0)


@dataclass(frozen=True)
class Piece:
    """A chunk of a track: its room time, and how to get its bytes (raises FileNotFoundError if they are gone)."""

    start_ms: int
    duration_ms: int
    read: Callable[[], bytes]

    @property
    def end_ms(self) -> int:
        return self.start_ms + self.duration_ms


@dataclass
class Placed:
    """Decoded samples. The first one is played at `position`."""

    position: int
    pcm: Samples

    @property
    def end(self) -> int:
        return self.position + len(self.pcm)


class Track:
    """Reads one track from its pieces, forwards only. `damaged` counts missing and unreadable pieces."""

    def __init__(self, pieces: Iterable[Piece]) -> None:
        self._pieces = sorted(pieces, key=lambda piece: piece.start_ms)
        self.start = self._pieces[0].start_ms * MS if self._pieces else 0
        self.end = max((piece.end_ms for piece in self._pieces), default=0) * MS
        self.damaged = 0
        self._sound = _joined(self._decoded())
        self._next = next(self._sound, None) if self._pieces else None

    def add_to(self, block: Samples, start: int) -> None:
        """Add the samples from room position `start` on to `block`. Callers ask for blocks in order."""
        stop = start + len(block)
        while self._next is not None and self._next.position < stop:
            placed = self._next
            first, last = max(placed.position, start), min(placed.end, stop)
            if first < last:
                block[first - start : last - start] += placed.pcm[first - placed.position : last - placed.position]
            if placed.end > stop:
                return
            self._next = next(self._sound, None)

    def _packets(self) -> Iterator[ogg.Placed]:
        for piece in self._pieces:
            try:
                packets = ogg.read(piece.read()).packets
            except (FileNotFoundError, ogg.OggError):
                self.damaged += 1
                continue
            for packet in packets:
                yield ogg.Placed(piece.start_ms * MS + packet.position, packet.samples, packet.payload)

    def _decoded(self) -> Iterator[Placed]:
        """The samples, from one decoder for the whole track: the border of two chunks must not be audible."""
        decoder, end = Decoder(), None
        for packet in self._packets():
            if end is not None and packet.position + packet.samples <= end:
                continue  # the same time again
            if end is not None and 0 < packet.position - end <= CONCEALED:
                yield from _concealed(decoder, packet.payload, end, packet.position)
            try:
                pcm = decoder.decode(packet.payload)
            except OpusError:
                continue
            yield Placed(packet.position, pcm.astype(np.float32) / FULL_SCALE)
            end = packet.position + len(pcm)


def _concealed(decoder: Decoder, following: bytes, start: int, stop: int) -> Iterator[Placed]:
    """Fill a gap. libopus takes steps of 2.5 ms; `following` may carry a copy of the last packet before it."""
    step = SAMPLE_RATE // 400
    whole = (stop - start) // step * step
    if whole == 0:
        return
    try:
        pcm = decoder.recover(following, whole) if whole <= 20 * MS else decoder.conceal(whole)
    except OpusError:
        return
    yield Placed(start, pcm.astype(np.float32) / FULL_SCALE)


def _joined(sound: Iterator[Placed]) -> Iterator[Placed]:
    """The pieces without overlaps, and with soft edges beside silence."""
    before: Placed | None = None
    for placed in sound:
        if before is None or placed.position - before.end >= FADE:
            _fade_in(placed)
            if before is not None:
                _fade_out(before)
        elif placed.position < before.end:
            _cross(before, placed)
        if before is not None:
            yield before
        before = placed
    if before is not None:
        _fade_out(before)
        yield before


def _fade_in(placed: Placed) -> None:
    length = min(FADE, len(placed.pcm))
    placed.pcm[:length] *= np.linspace(0, 1, length, dtype=np.float32)


def _fade_out(placed: Placed) -> None:
    length = min(FADE, len(placed.pcm))
    placed.pcm[len(placed.pcm) - length :] *= np.linspace(1, 0, length, dtype=np.float32)


def _cross(before: Placed, after: Placed) -> None:
    """Fade `before` into `after` over their overlap, and cut the overlap off `after`."""
    overlap = min(before.end - after.position, len(after.pcm))
    length = min(overlap, len(before.pcm), CROSSFADE)
    ramp = np.linspace(1, 0, length, dtype=np.float32)
    tail = slice(len(before.pcm) - length, len(before.pcm))
    before.pcm[tail] = before.pcm[tail] * ramp + after.pcm[overlap - length : overlap] * (1 - ramp)
    after.position, after.pcm = after.position + overlap, after.pcm[overlap:]


def added(tracks: Sequence[Track], start: int, length: int) -> Samples:
    """The sum of all tracks for `length` samples from room position `start`. Loud sums exceed full scale."""
    block = np.zeros(length, np.float32)
    for track in tracks:
        if track.start < start + length and track.end >= start:
            track.add_to(block, start)
    return block
