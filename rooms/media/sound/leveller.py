"""Brings each voice towards the same loudness, slowly and within bounds, so that all can be understood."""

import numpy as np

from rooms.media.sound.opus import Pcm
from rooms.media.units import FRAME

AIM_RMS = 2600.0  # about -22 dBFS during speech
MOST = 10 ** (10 / 20)  # 10 dB up or down
STEP = 10 ** (1.5 / 50 / 20)  # the share of one frame in 1.5 dB a second
SPEECH_RMS = 100.0  # about -50 dBFS; softer frames are a pause, or noise
SPEECH_SHARE = 0.03  # of the mean power (15 dB below it): softer frames are a pause
MEMORY = 150  # frames of speech over which the level is measured, 3 s


class Leveller:
    """The gain of one voice.

    It follows the level during speech, as ITU-T P.56 defines the active speech level. Pauses do not count, and the gain
    stays as it is during them.
    """

    def __init__(self) -> None:
        self.gain = 1.0
        self._power = 0.0
        self._frames = 0

    def level(self, sound: Pcm, power: float) -> Pcm:
        """The 960 samples with the gain applied. `power` is their mean square."""
        start = self.gain
        if power > max(SPEECH_RMS**2, self._power * SPEECH_SHARE):
            self._follow(power)
        if start == self.gain == 1.0:
            return sound
        louder = sound * np.linspace(start, self.gain, FRAME, dtype=np.float32)
        return np.clip(louder, -32768, 32767).astype(np.int16)

    def _follow(self, power: float) -> None:
        self._frames = min(self._frames + 1, MEMORY)
        self._power += (power - self._power) / self._frames
        aim = np.clip(AIM_RMS / np.sqrt(self._power), 1 / MOST, MOST)
        self.gain *= float(np.clip(aim / self.gain, 1 / STEP, STEP))
