"""An encoder that adapts to its listeners: their reports set the bit rate and the error correction."""

from bisect import bisect_right
from collections.abc import Sequence

from rooms.media.sound.opus import Encoder

# From this share of lost packets on: the loss in percent that the encoder prepares for, and bit/s. Forward error
# correction takes its share of the bit rate. A lossy path is often a congested one, so the rate goes down as well.
STEPS = ((0.0, 0, 32_000), (0.01, 5, 32_000), (0.04, 10, 28_000), (0.10, 20, 24_000))
SPARED = 0.1  # share of the listeners whose loss may be worse than the encoder prepares for
CALM_REPORTS = 10  # calls of `follow` with less loss before a step down


class AdaptiveEncoder(Encoder):
    """One encoder for a group of listeners. Call `follow` once a second."""

    def __init__(self) -> None:
        super().__init__(STEPS[0][2])
        self.step = 0
        self._calm = 0

    def follow(self, losses: Sequence[float]) -> None:
        """Adapt to the shares of packets that the listeners report as lost: up at once, down step by step."""
        wanted = self._wanted(losses)
        self._calm = self._calm + 1 if wanted < self.step else 0
        if wanted > self.step:
            self._take(wanted)
        elif self._calm >= CALM_REPORTS:
            self._take(self.step - 1)

    @staticmethod
    def _wanted(losses: Sequence[float]) -> int:
        if not losses:
            return 0
        spared = int(len(losses) * SPARED)
        loss = sorted(losses)[len(losses) - 1 - spared]
        return bisect_right(STEPS, loss, key=lambda step: step[0]) - 1

    def _take(self, step: int) -> None:
        self.step, self._calm = step, 0
        _, percent, bitrate = STEPS[step]
        self.expect_loss(percent)
        self.set_bitrate(bitrate)
