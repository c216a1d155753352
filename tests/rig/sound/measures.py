"""What is in a sound: the loudest frequency, and how strong one frequency is."""

import numpy as np

from rooms.media.sound.opus import Pcm
from rooms.media.units import SAMPLE_RATE

PIECE = SAMPLE_RATE // 20  # samples, 50 ms, in which a strength is measured


def loudest_frequency(pcm: Pcm) -> float:
    """The frequency in Hz with the most energy in the sound, 0 for silence."""
    if not len(pcm) or not np.any(pcm):
        return 0.0
    spectrum = np.abs(np.fft.rfft(pcm * np.hanning(len(pcm))))
    return float(np.argmax(spectrum) * SAMPLE_RATE / len(pcm))


def strength(pcm: Pcm, frequency: float) -> float:
    """The amplitude of one frequency in the sound. 1.0 is a sine wave of full scale.

    Measured in pieces of 50 ms: a jitter buffer that adapts plays some of it a little faster or slower.
    """
    if not len(pcm):
        return 0.0
    length = min(PIECE, len(pcm))
    window = np.hanning(length)
    wave = window * np.exp(-2j * np.pi * frequency * np.arange(length) / SAMPLE_RATE)
    pieces = pcm[: len(pcm) // length * length].reshape(-1, length)
    return float(2 * np.abs(pieces @ wave).mean() / window.sum() / 32767)
