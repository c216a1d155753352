"""Mix-minus: whoever talks hears everybody but himself, as a stream that begins and ends without anybody hearing where.

A packet of Opus says how the sound goes on from the packet before it. Where a browser gets packets of two encoders one
after the other, the second one has to know what was heard before, and its first packet may rely on as little of it as
possible; else there is a click.
"""

from collections import deque
from collections.abc import Collection, Mapping

import numpy as np

from .adaptation import AdaptiveEncoder
from .opus import FRAME, SILENT_PACKET, Pcm

PRIMING = 3  # ticks of what was heard before, with which an encoder begins
_SILENCE = np.zeros(FRAME, np.int16)


class MixMinus:
    """What those hear who talk: for each of them an encoder, by participant."""

    def __init__(self) -> None:
        self._encoders: dict[str, AdaptiveEncoder] = {}
        self._shared: deque[Pcm] = deque([_SILENCE] * PRIMING, PRIMING)  # what the others heard in the last ticks
        self._apart: Collection[str] = ()  # who heard something else than they in the last tick
        self._encoded: Collection[str] = ()  # who of them was not the only one who talked

    def returns(self, own: Collection[str]) -> bool:
        """Whether somebody will hear what the others hear now, and did not in the last tick."""
        return any(talker not in own for talker in self._apart)

    def encode(self, own: Mapping[str, Pcm], hearing: Collection[str]) -> dict[str, bytes]:
        """Return the packets of this tick by participant: of ``own``, for those of them who are ``hearing``.

        Who is the only one to talk hears silence.
        """
        alone = len(own) == 1
        packets = {name: SILENT_PACKET if alone else self._encode(name, own[name]) for name in hearing}
        self._apart, self._encoded = packets.keys(), () if alone else packets.keys()
        return packets

    def _encode(self, participant: str, sound: Pcm) -> bytes:
        if participant not in self._encoders:
            self._encoders[participant] = AdaptiveEncoder()
        encoder = self._encoders[participant]
        if participant in self._encoded:
            return encoder.encode(sound)
        encoder.reset()
        for before in () if participant in self._apart else self._shared:
            encoder.encode(before)
        return encoder.encode_apart(sound)

    def heard(self, shared: Pcm | None) -> None:
        """Take note of what all others heard in this tick, None for silence."""
        self._shared.append(_SILENCE if shared is None else shared)

    def follow(self, losses: Mapping[str, float]) -> None:
        """Let each encoder follow the loss that its one listener reports."""
        for participant, encoder in self._encoders.items():
            if participant in losses:
                encoder.follow([losses[participant]])

    def keep(self, participants: Collection[str]) -> None:
        """Forget the encoders of all but these."""
        for gone in self._encoders.keys() - set(participants):
            del self._encoders[gone]
