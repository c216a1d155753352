"""Sums voices: once for all listeners, and for each person who talks without their own voice."""

from collections.abc import Hashable, Mapping
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from rooms.media.sound.opus import Pcm
from rooms.media.units import FRAME

Key = TypeVar("Key", bound=Hashable)

FULL_SCALE = 32767.0
CEILING = 29_000.0  # about -1 dBFS: the peak that the gain aims at for a louder frame
ATTACK = 96  # samples, 2 ms, in which the gain goes down
RELEASE = 1.02  # factor by which the gain recovers per frame: 1 dB in about 120 ms


class Limiter:
    """Keeps a sum within full scale: turns it down, and bends the peaks that are still too loud.

    One per stream, because the gain continues from frame to frame.
    """

    def __init__(self) -> None:
        self._gain = 1.0

    def limit(self, total: npt.NDArray[np.int32]) -> Pcm:
        """The int32 sum as int16 samples, never beyond full scale and never wrapped."""
        peak = float(np.abs(total).max())
        aim = min(1.0, CEILING / peak) if peak else 1.0
        if aim == 1.0 and self._gain == 1.0:
            return total.astype(np.int16)
        start, self._gain = self._gain, min(aim, self._gain * RELEASE)
        return _rounded(total * self._slope(start, self._gain))

    @staticmethod
    def _slope(start: float, end: float) -> npt.NDArray[np.float64]:
        if end >= start:
            return np.linspace(start, end, FRAME)
        slope = np.full(FRAME, end)
        slope[:ATTACK] = np.geomspace(start, end, ATTACK)  # the same number of dB per sample
        return slope


def _rounded(sound: npt.NDArray[np.float64]) -> Pcm:
    """Bend samples beyond the ceiling so that they approach full scale and never reach it.

    A louder sample stays louder. So the first 2 ms of a dozen voices remain a wave and are not clipped to a line.
    """
    magnitude = np.abs(sound)
    over = magnitude > CEILING
    if over.any():
        room = FULL_SCALE - CEILING
        excess = (magnitude[over] - CEILING) / room
        sound[over] = np.copysign(CEILING + room * excess / (1 + excess), sound[over])
    return np.rint(sound).astype(np.int16)


class Mixer(Generic[Key]):
    """The sums of one Space."""

    def __init__(self) -> None:
        self._shared = Limiter()
        self._own: dict[Key, Limiter] = {}

    def mix(self, sounds: Mapping[Key, Pcm]) -> tuple[Pcm | None, dict[Key, Pcm]]:
        """Mix the 960 samples of each audible voice.

        Returns the mix of all voices for the listeners, None without voices, and for each voice the mix of the others.
        """
        for gone in self._own.keys() - sounds.keys():
            del self._own[gone]
        if not sounds:
            return None, {}
        total = np.add.reduce(list(sounds.values()), axis=0, dtype=np.int32)
        own = {key: self._limiter(key).limit(total - sound) for key, sound in sounds.items()}
        return self._shared.limit(total), own

    def _limiter(self, key: Key) -> Limiter:
        return self._own.setdefault(key, Limiter())
