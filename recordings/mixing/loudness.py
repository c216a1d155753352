"""Loudness by EBU R 128 (ITU-R BS.1770-4), and a limiter. Both are FFmpeg's filters through PyAV.

`recordings/mixing/mix.py` brings the mix to its target with them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import av
import av.filter
import numpy as np

from recordings.mixing.decode import Samples
from rooms.media.units import SAMPLE_RATE

SILENCE_LUFS = -70.0  # the absolute gate of BS.1770: lower levels are not measured
CEILING = 10 ** (-2 / 20)  # of the limiter, -2 dBFS: room for peaks between samples and for errors of the encoder

_LIMITER = f"limit={CEILING:.5f}:level=0:attack=5:release=80:latency=1"


@dataclass
class Measured:
    """`integrated` is in LUFS, or SILENCE_LUFS if there is nothing to measure; `peak` is of samples, full scale 1.0."""

    integrated: float = SILENCE_LUFS
    peak: float = 0.0


def measured(blocks: Iterable[Samples], result: Measured) -> Iterator[Samples]:
    """Pass the blocks on, cut differently, and fill `result`. It is complete when the last block has passed."""
    for frame in _run(blocks, ("ebur128", "metadata=1")):
        result.integrated = max(SILENCE_LUFS, float(frame.metadata.get("lavfi.r128.I", SILENCE_LUFS)))
        samples = _samples(frame)
        result.peak = max(result.peak, float(np.abs(samples).max(initial=0.0)))
        yield samples


def measure(blocks: Iterable[Samples]) -> Measured:
    """Loudness and peak of all blocks."""
    result = Measured()
    for _ in measured(blocks, result):
        pass
    return result


def limited(blocks: Iterable[Samples], gain: float) -> Iterator[Samples]:
    """The blocks times `gain`, softly turned down around peaks above CEILING. Length and timing stay."""
    louder = (block * np.float32(gain) for block in blocks)
    return map(_samples, _run(louder, ("alimiter", _LIMITER)))


def _samples(frame: av.AudioFrame) -> Samples:
    return frame.to_ndarray().reshape(-1).astype(np.float32)


def _run(blocks: Iterable[Samples], named: tuple[str, str]) -> Iterator[av.AudioFrame]:
    """Send the blocks through one filter."""
    graph = av.filter.Graph()
    source = graph.add_abuffer(sample_rate=SAMPLE_RATE, format="flt", layout="mono", time_base=Fraction(1, SAMPLE_RATE))
    chain = [source, graph.add(*named), graph.add("abuffersink")]
    for before, after in pairwise(chain):
        before.link_to(after)
    graph.configure()
    place = 0
    for block in blocks:
        graph.push(_frame(block, place))
        place += len(block)
        yield from _pull(graph)
    if place:
        graph.push(None)
        yield from _pull(graph)


def _frame(block: Samples, place: int) -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(block.reshape(1, -1), format="flt", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, place, Fraction(1, SAMPLE_RATE)
    return frame


def _pull(graph: av.filter.Graph) -> Iterator[av.AudioFrame]:
    while True:
        try:
            frame = graph.pull()
        except (av.BlockingIOError, av.EOFError):
            return
        assert isinstance(frame, av.AudioFrame)
        yield frame
