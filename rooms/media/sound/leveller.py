"""Brings each voice towards the same loudness, slowly and within bounds: nobody is shouted down, nobody inaudible."""

import numpy as np

from rooms.media.sound.opus import Pcm
from rooms.media.units import FRAME

AIM_RMS = 2600.0  # about -22 dBFS while somebody speaks
MOST = 10 ** (10 / 20)  # 10 dB up or down
STEP = 10 ** (1.5 / 50 / 20)  # a frame's share of 1.5 dB a second
SPEECH_RMS = 100.0  # about -50 dBFS; softer frames are a pause, or noise
SPEECH_SHARE = 0.03  # of the mean power (15 dB below), under which a frame is a pause
MEMORY = 150  # frames of speech over which the level is measured, 3 s


class Leveller:
    """The gain of one voice.

    Measured is the level while there is speech, as ITU-T P.56 defines the active speech level: pauses do not count, and
    in them the gain stands still.
    """

    def __init__(self) -> None:
        self.gain = 1.0
        self._power = 0.0
        self._frames = 0

    def level(self, sound: Pcm, power: float) -> Pcm:
        """Return the 960 samples at the gain of now; ``power`` is their mean square."""
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
