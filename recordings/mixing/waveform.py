"""The waveform of a sound: lowest and highest sample of equal parts, in the JSON of the BBC's audiowaveform."""

from typing import Any

import numpy as np

from recordings.mixing.decode import Samples
from rooms.media.units import SAMPLE_RATE

PEAKS = 1800


class Waveform:
    """Takes the samples of a file of `total` samples block by block. It needs memory only for its peaks."""

    def __init__(self, total: int) -> None:
        self._part = max(1, -(-total // PEAKS))
        count = -(-total // self._part)
        self._low, self._high = np.zeros(count, np.float32), np.zeros(count, np.float32)
        self._place = 0

    def add(self, block: Samples) -> None:
        """Take the next samples."""
        parts = (self._place + np.arange(len(block))) // self._part
        starts = np.flatnonzero(np.diff(parts, prepend=-1))
        index = parts[starts]
        inside = index < len(self._low)
        if len(starts):
            low, high = np.minimum.reduceat(block, starts), np.maximum.reduceat(block, starts)
            self._low[index[inside]] = np.minimum(self._low[index[inside]], low[inside])
            self._high[index[inside]] = np.maximum(self._high[index[inside]], high[inside])
        self._place += len(block)

    def json(self) -> dict[str, Any]:
        """The waveform as JSON. `data` alternates lowest and highest, -128..127."""
        pairs = np.stack([self._low, self._high], axis=1).reshape(-1)
        return {
            "version": 2,
            "channels": 1,
            "sample_rate": SAMPLE_RATE,
            "samples_per_pixel": self._part,
            "bits": 8,
            "length": len(self._low),
            "data": np.clip(np.round(pairs * 127), -128, 127).astype(int).tolist(),
        }
