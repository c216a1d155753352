"""Mixes the tracks of a Space by room time into one Ogg/Opus file of even loudness. Imports no Django.

Everything runs in blocks, so eight hours need no more memory than a minute. The sum of the tracks is written once to a
nameless scratch file as half floats: 2 octets a sample (345 MB an hour), no overflow with twelve voices, noise about
70 dB below the sound. It is measured from there, measured again behind the limiter, and encoded.
"""

import math
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

import av
import numpy as np

from recordings.mixing.decode import Piece, Samples, Track, added
from recordings.mixing.loudness import CEILING, SILENCE_LUFS, Measured, limited, measure, measured
from recordings.mixing.waveform import Waveform
from rooms.media.units import MS, SAMPLE_RATE

TARGET_LUFS = -16.0
TOLERANCE = 0.1  # LU
MAX_ROUNDS = 10  # of measurements behind the limiter
MAX_GAIN_DB = 40.0  # a recording below -56 LUFS is room noise and stays quiet
BITRATE = 48_000
BLOCK = SAMPLE_RATE

Progress = Callable[[float], None]
"""Called with 0..1 now and then. May raise to stop the work."""

av.logging.set_level(None)


@dataclass
class Mixed:
    """The result. `loudness` is in LUFS, or None if all is silent; `damaged` pieces became gaps."""

    duration_ms: int = 0
    loudness: float | None = None
    damaged: int = 0
    waveform: dict[str, Any] = field(default_factory=lambda: Waveform(0).json())


def mix(
    tracks: Iterable[Iterable[Piece]],
    out: BinaryIO,
    scratch: Path | None = None,
    progress: Progress = lambda share: None,
) -> Mixed:
    """Mix to `out`. Its time 0 is room time 0; it ends with the last track.

    `scratch` is the folder of the scratch file, by default the system's. Without sound, nothing is written to `out`.
    """
    sources = [Track(pieces) for pieces in tracks]
    total = max((track.end for track in sources), default=0)
    result = Mixed(duration_ms=total // MS)
    if total == 0:
        return result
    with tempfile.TemporaryFile(dir=scratch) as raw:
        before = Measured()
        for block in measured(_summed(sources, total, lambda share: progress(share * 0.5)), before):
            raw.write(block.astype(np.float16).tobytes())
        gain = _gain(before, lambda: _blocks(raw, lambda share: progress(0.5 + share * 0.1)))
        after, waveform = Measured(), Waveform(total)
        sound = measured(limited(_blocks(raw, lambda share: progress(0.6 + share * 0.4)), gain), after)
        encode(_drawn(sound, waveform), out)
    result.damaged = sum(track.damaged for track in sources)
    result.loudness = after.integrated if after.integrated > SILENCE_LUFS else None
    result.waveform = waveform.json()
    return result


def _summed(tracks: list[Track], total: int, progress: Progress) -> Iterator[Samples]:
    for start in range(0, total, BLOCK):
        yield added(tracks, start, min(BLOCK, total - start))
        progress(start / total)


def _blocks(raw: BinaryIO, progress: Progress = lambda share: None) -> Iterator[Samples]:
    """The scratch file, read from its start."""
    total = raw.seek(0, 2)
    for start in range(0, total, 2 * BLOCK):
        raw.seek(start)
        yield np.frombuffer(raw.read(2 * BLOCK), np.float16).astype(np.float32)
        progress(start / total)


def _gain(before: Measured, sound: Callable[[], Iterator[Samples]]) -> float:
    """The factor that brings the sound to TARGET_LUFS behind the limiter.

    The more is limited, the less a decibel of gain brings. So each round steps by what the round before has brought.
    """
    if before.integrated <= SILENCE_LUFS:
        return 1.0
    decibels = min(MAX_GAIN_DB, TARGET_LUFS - before.integrated)
    low, high = _decibels(CEILING / max(before.peak, CEILING / _factor(MAX_GAIN_DB))), MAX_GAIN_DB
    known, reached = low, before.integrated + low  # the limiter is idle up to this gain
    for _ in range(MAX_ROUNDS if decibels > low else 0):
        heard = measure(limited(sound(), _factor(decibels))).integrated
        missing = TARGET_LUFS - heard
        if abs(missing) <= TOLERANCE or decibels >= MAX_GAIN_DB:
            break
        brings = min(1.0, max(0.2, (heard - reached) / (decibels - known)))
        known, reached = decibels, heard
        low, high = (decibels, high) if missing > 0 else (low, decibels)
        aim = decibels + missing / brings
        decibels = aim if low < aim < high else (low + high) / 2
    return _factor(decibels)


def _decibels(factor: float) -> float:
    return 20 * math.log10(factor)


def _factor(decibels: float) -> float:
    return float(10 ** (decibels / 20))


def _drawn(blocks: Iterator[Samples], waveform: Waveform) -> Iterator[Samples]:
    for block in blocks:
        waveform.add(block)
        yield block


def encode(blocks: Iterable[Samples], out: BinaryIO) -> None:
    """Write mono Ogg/Opus at BITRATE."""
    with av.open(out, "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=SAMPLE_RATE, layout="mono", format="flt")
        assert isinstance(stream, av.AudioStream)
        stream.bit_rate = BITRATE
        stream.codec_context.options = {"application": "audio", "compression_level": "5", "vbr": "constrained"}
        place = 0
        for block in blocks:
            frame = av.AudioFrame.from_ndarray(block.reshape(1, -1), format="flt", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, place, Fraction(1, SAMPLE_RATE)
            place += len(block)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
