"""How loud each voice is, on its way with the files: the value of ``#EXT-X-SPACES-LEVELS``, one tag for each segment.

``<participant>=<two digits for each 200 ms>``, with commas between participants; whoever is silent all the time is left
out. Players ignore tags that they do not know (RFC 8216 section 6.3.1).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from rooms.media.units import FRAME

STEP = 10 * FRAME  # samples: as often as a node measures
MOST = 99  # of 100, in two digits


@dataclass(frozen=True)
class _Told:
    start: int
    end: int
    levels: Mapping[str, int]


class Levels:
    """What a node told of its voices, until the segment is cut in which they are heard."""

    def __init__(self) -> None:
        self._told: list[_Told] = []

    def note(self, position: int, samples: int, levels: Mapping[str, int]) -> None:
        """Participants and their levels, 0 to 100, during the ``samples`` from ``position`` (room time) on."""
        loud = {name: min(level, MOST) for name, level in levels.items() if level}
        if loud:
            self._told.append(_Told(position, position + samples, loud))

    def take(self, start: int, samples: int) -> str:
        """The tag's value for the segment of these samples. What ends before the segment does is forgotten."""
        told = [self._at(position) for position in range(start + STEP // 2, start + samples, STEP)]
        self._told = [one for one in self._told if one.end > start + samples]
        loud = sorted({name for levels in told for name in levels})
        return ",".join(f"{name}={''.join(f'{levels.get(name, 0):02d}' for levels in told)}" for name in loud)

    def _at(self, position: int) -> Mapping[str, int]:
        return next((one.levels for one in self._told if one.start <= position < one.end), {})
