"""Tones as packets: what a peer without a browser can say. The simulation, the benches and the tests send them."""

from functools import cache

import numpy as np

from rooms.media.sound.opus import Encoder, Pcm
from rooms.media.units import FRAME, SAMPLE_RATE


def tone(frequency: float, seconds: float = 1.0, amplitude: float = 0.3) -> Pcm:
    """A sine wave of full scale times `amplitude`. With a whole number of periods it repeats without a seam."""
    moments = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return np.rint(amplitude * 32767 * np.sin(2 * np.pi * frequency * moments)).astype(np.int16)


def encode(pcm: Pcm, bitrate: int = 32_000) -> list[bytes]:
    """Encode PCM at 48 kHz to packets of 20 ms. A shorter rest is left out."""
    encoder = Encoder(bitrate)
    return [encoder.encode(pcm[start : start + FRAME]) for start in range(0, len(pcm) - FRAME + 1, FRAME)]


@cache
def tone_packets(frequency: float, seconds: float = 1.0, amplitude: float = 0.3) -> tuple[bytes, ...]:
    """A tone as packets of 20 ms, encoded once for all peers."""
    return tuple(encode(tone(frequency, seconds, amplitude)))
