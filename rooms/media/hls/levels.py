"""How loud each voice is, for HLS listeners: the value of `#EXT-X-SPACES-LEVELS`, one tag per segment.

`<participant>=<two digits per 200 ms>`, with commas between participants. Silent participants are left out. Players
ignore tags that they do not know (RFC 8216 section 6.3.1).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from rooms.media.units import FRAME

STEP = 10 * FRAME  # samples between two measurements of the node
MOST = 99  # the highest number of two digits


@dataclass(frozen=True)
class _Measured:
    start: int
    end: int
    levels: Mapping[str, int]


class Levels:
    """The levels of voices until the segment with their sound is cut."""

    def __init__(self) -> None:
        self._measured: list[_Measured] = []

    def note(self, position: int, samples: int, levels: Mapping[str, int]) -> None:
        """Note the levels, 0 to 100 by participant, of the `samples` from `position` on, in room time."""
        loud = {name: min(level, MOST) for name, level in levels.items() if level}
        if loud:
            self._measured.append(_Measured(position, position + samples, loud))

    def take(self, start: int, samples: int) -> str:
        """The value of the tag for the segment of these samples. Forgets levels that end with it."""
        found = [self._at(position) for position in range(start + STEP // 2, start + samples, STEP)]
        self._measured = [one for one in self._measured if one.end > start + samples]
        loud = sorted({name for levels in found for name in levels})
        return ",".join(f"{name}={''.join(f'{levels.get(name, 0):02d}' for levels in found)}" for name in loud)

    def _at(self, position: int) -> Mapping[str, int]:
        return next((one.levels for one in self._measured if one.start <= position < one.end), {})
