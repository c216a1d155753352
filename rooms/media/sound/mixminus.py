"""Mix-minus: people who talk hear everyone but themselves, in streams that begin and end without an audible seam.

A packet of Opus continues the sound of the packet before it. If a browser gets packets of a second encoder, that
encoder has to have encoded the sound before, or there is a click.
"""

from collections import deque
from collections.abc import Collection, Mapping

import numpy as np

from rooms.media.sound.adaptation import AdaptiveEncoder
from rooms.media.sound.opus import SILENT_PACKET, Pcm
from rooms.media.units import FRAME

PRIMING = 3  # ticks of earlier sound that a new encoder encodes first
PRIMED_AT_ONCE = 6  # such ticks in one tick; if many encoders begin, each gets fewer, so all are ready in time
_SILENCE = np.zeros(FRAME, np.int16)


class MixMinus:
    """The streams for people who talk: one encoder each, by participant."""

    def __init__(self) -> None:
        self._encoders: dict[str, AdaptiveEncoder] = {}
        self._shared: deque[Pcm] = deque([_SILENCE] * PRIMING, PRIMING)  # the latest ticks of the shared mix
        self._apart: Collection[str] = ()  # who got a stream of their own in the last tick
        self._encoded: Collection[str] = ()  # who of them did not talk alone

    def encode(self, own: Mapping[str, Pcm], hearing: Collection[str]) -> dict[str, bytes]:
        """The packets of this tick by participant: the mixes of `own`, for those who are `hearing`.

        A person who talks alone hears silence.
        """
        alone = len(own) == 1
        if not alone:
            self._prime([name for name in hearing if name not in self._encoded])
        packets = {name: SILENT_PACKET if alone else self._encoders[name].encode(own[name]) for name in hearing}
        self._apart, self._encoded = packets.keys(), () if alone else packets.keys()
        return packets

    def _prime(self, beginning: Collection[str]) -> None:
        """Let new encoders encode the sound before: the shared mix, or silence for a person who talked alone."""
        for name in beginning:
            encoder = self._encoders.setdefault(name, AdaptiveEncoder())
            earlier = [_SILENCE] * PRIMING if name in self._apart else list(self._shared)
            for before in earlier[-max(1, PRIMED_AT_ONCE // len(beginning)) :]:
                encoder.encode(before)

    def note_shared(self, shared: Pcm | None) -> None:
        """Note the shared mix of this tick, None for silence."""
        self._shared.append(_SILENCE if shared is None else shared)

    def follow(self, losses: Mapping[str, float]) -> None:
        """Let each encoder follow the loss that its listener reports, by participant."""
        for participant, encoder in self._encoders.items():
            encoder.follow([losses[participant]] if participant in losses else [])

    def keep(self, participants: Collection[str]) -> None:
        """Forget the encoders of all but these."""
        for gone in self._encoders.keys() - set(participants):
            del self._encoders[gone]
