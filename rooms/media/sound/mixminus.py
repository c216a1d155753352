"""Mix-minus: whoever talks hears everybody but himself, as a stream that begins and ends without anybody hearing where.

A packet of Opus says how the sound goes on from the packet before it. Where a browser gets packets of two encoders one
after the other, the second one has to have encoded what was heard before, or there is a click.
"""

from collections import deque
from collections.abc import Collection, Mapping

import numpy as np

from rooms.media.sound.adaptation import AdaptiveEncoder
from rooms.media.sound.opus import SILENT_PACKET, Pcm
from rooms.media.units import FRAME

PRIMING = 3  # ticks of what was heard before, with which an encoder begins
PRIMED_AT_ONCE = 6  # of them in one tick; where more begin, each gets fewer, since all have to be ready in time
_SILENCE = np.zeros(FRAME, np.int16)


class MixMinus:
    """What those hear who talk: for each of them an encoder, by participant."""

    def __init__(self) -> None:
        self._encoders: dict[str, AdaptiveEncoder] = {}
        self._shared: deque[Pcm] = deque([_SILENCE] * PRIMING, PRIMING)  # what the others heard in the last ticks
        self._apart: Collection[str] = ()  # who heard something else than they in the last tick
        self._encoded: Collection[str] = ()  # who of them was not the only one who talked

    def encode(self, own: Mapping[str, Pcm], hearing: Collection[str]) -> dict[str, bytes]:
        """Return the packets of this tick by participant: of ``own``, for those of them who are ``hearing``.

        Who is the only one to talk hears silence.
        """
        alone = len(own) == 1
        if not alone:
            self._prime([name for name in hearing if name not in self._encoded])
        packets = {name: SILENT_PACKET if alone else self._encoders[name].encode(own[name]) for name in hearing}
        self._apart, self._encoded = packets.keys(), () if alone else packets.keys()
        return packets

    def _prime(self, beginning: Collection[str]) -> None:
        """Let encoders that begin know what was heard so far: what all heard, or nothing by whoever talked alone."""
        for name in beginning:
            encoder = self._encoders.setdefault(name, AdaptiveEncoder())
            heard = [_SILENCE] * PRIMING if name in self._apart else list(self._shared)
            for before in heard[-max(1, PRIMED_AT_ONCE // len(beginning)) :]:
                encoder.encode(before)

    def note_shared(self, shared: Pcm | None) -> None:
        """Take note of what all others heard in this tick, None for silence."""
        self._shared.append(_SILENCE if shared is None else shared)

    def follow(self, losses: Mapping[str, float]) -> None:
        """Let each encoder follow the loss that its one listener reports, none where he says nothing."""
        for participant, encoder in self._encoders.items():
            encoder.follow([losses[participant]] if participant in losses else [])

    def keep(self, participants: Collection[str]) -> None:
        """Forget the encoders of all but these."""
        for gone in self._encoders.keys() - set(participants):
            del self._encoders[gone]
