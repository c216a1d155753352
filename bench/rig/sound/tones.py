"""What is left of steady tones: at a listener that keeps every packet, and in what a node has archived."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bench.rig.peers import Checker, TimedPacket
from rooms.media.capture import ogg
from rooms.media.capture.tap import chunk_from
from rooms.media.client.tones import encode, tone
from rooms.media.sound.opus import Pcm
from rooms.media.units import FRAME, MS, SAMPLE_RATE

LOOP_SECONDS = 5
AMPLITUDE = 0.1
WINDOW = FRAME  # samples per measurement: a hole of one frame takes at least half of one window


def tones(hertz: Sequence[float]) -> list[list[bytes]]:
    """The packets of speakers with one tone each. Multiples of 50 Hz can be separated in one window.

    They are the second half of the encoded sound, so that the start of the encoder is not repeated.
    """
    return [encode(tone(each, 2 * LOOP_SECONDS, AMPLITUDE))[LOOP_SECONDS * SAMPLE_RATE // FRAME :] for each in hertz]


class KeepingChecker(Checker):
    """A checker that keeps the packets since the last `reset`."""

    def __init__(self, **options: Any) -> None:
        self.kept: list[TimedPacket] = []
        super().__init__(**options)

    def reset(self) -> None:
        """Forget what was received so far."""
        super().reset()
        self.kept.clear()

    def _check_sound(self, packet: TimedPacket) -> None:
        super()._check_sound(packet)
        self.kept.append(packet)

    @property
    def longest_pause(self) -> float:
        """The longest time between two packets, in seconds."""
        return float(np.diff([packet.at for packet in self.kept]).max(initial=0.0))


def faintest(sound: Pcm, hertz: Sequence[float]) -> float:
    """The least strength of these tones in any window, as a share of the median. 0.0 for silence."""
    count = len(sound) // WINDOW
    if not count:
        return 0.0
    windows = sound[: count * WINDOW].reshape(count, WINDOW)
    moments = np.arange(WINDOW) / SAMPLE_RATE
    waves = np.exp(-2j * np.pi * np.outer(moments, hertz))
    strengths = np.abs(windows @ waves)
    usual = np.median(strengths, axis=0)
    return float((strengths / usual).min()) if usual.all() else 0.0


class Archived(NamedTuple):
    """What is kept of all turns of a Space: seconds from the first to the last packet, and the holes.

    A hole is (from, to), in seconds of room time.
    """

    turns: int
    seconds: float
    holes: list[tuple[float, float]]

    def missing(self, start: float, end: float) -> float:
        """How many seconds are missing between two moments of room time, of all turns together."""
        return sum(max(0.0, min(end, to) - max(start, from_)) for from_, to in self.holes)


def archived(folder: Path, space: str) -> Archived:
    """Read the tracks of a Space's speakers from the storage of a node."""
    tracks: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for path in folder.glob(f"{space}/*/*.opus"):
        chunk = chunk_from(path.read_bytes())
        if chunk.turn is not None:
            tracks[chunk.turn] += places(chunk.start_ms, ogg.read(chunk.data).packets)
    spans = [sorted(track) for track in tracks.values()]
    holes = [(end, start) for span in spans for (_, end), (start, _) in pairwise(span) if start > end]
    whole = sum(span[-1][1] - span[0][0] for span in spans)
    return Archived(len(spans), whole / SAMPLE_RATE, [(end / SAMPLE_RATE, to / SAMPLE_RATE) for end, to in holes])


def places(start_ms: int, packets: Iterable[ogg.Placed]) -> list[tuple[int, int]]:
    """Where packets of a chunk begin and end, in samples of room time."""
    starts = [(start_ms * MS + packet.position, packet.samples) for packet in packets]
    return [(start, start + samples) for start, samples in starts]
