"""How much of speech is left: STOI against the original, after aligning the two.

STOI (Taal, Hendriks, Heusdens, Jensen, IEEE Transactions on Audio, Speech and Language Processing 19(7), 2011) by the
library pystoi: 1.0 is the original, less is less intelligible. A signal-to-noise ratio would measure something else
here: an encoder does not keep the waveform, and a jitter buffer moves it by some samples.
"""

import numpy as np
import numpy.typing as npt
from pystoi import stoi  # type: ignore[import-untyped]

from rooms.media.sound.opus import Pcm
from rooms.media.units import SAMPLE_RATE

PART_SECONDS = 2.0  # compared at a time, because the delay changes slowly
SEARCH_SECONDS = 0.25  # by which the delay may have changed
LEAST_RMS = 200.0  # of a part with speech

Samples = npt.NDArray[np.float32]


def lag(original: Pcm, heard: Pcm) -> int:
    """By how many samples `heard` is behind `original`, by the peak of their correlation."""
    size = 1 << (len(original) + len(heard)).bit_length()
    spectrum = np.fft.rfft(heard.astype(np.float32), size) * np.conj(np.fft.rfft(original.astype(np.float32), size))
    place = int(np.argmax(np.fft.irfft(spectrum, size)))
    return place if place <= len(heard) else place - size


def likeness(original: Pcm, heard: Pcm) -> float:
    """The mean STOI of all parts with speech, 0.0 if nothing was heard."""
    if not len(heard):
        return 0.0
    around, length = round(SEARCH_SECONDS * SAMPLE_RATE), round(PART_SECONDS * SAMPLE_RATE)
    behind, scores = lag(original, heard), []
    padded = np.concatenate((np.zeros(around, np.int16), heard, np.zeros(length + 2 * around, np.int16)))
    for start in range(0, len(original) - length + 1, length):
        part = original[start : start + length]
        if np.sqrt(np.mean(np.square(part, dtype=np.float64))) < LEAST_RMS:
            continue
        from_ = max(0, start + behind)
        window = padded[from_ : from_ + length + 2 * around]
        place = min(max(0, lag(part, window)), len(window) - length)
        scores.append(float(stoi(part, window[place : place + length], SAMPLE_RATE)))
    return float(np.mean(scores)) if scores else 0.0
