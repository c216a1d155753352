"""Every spoken turn of `turns.txt`, and how each person sounds. `clips/` holds one file a turn (`make speech`)."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Voice:
    """How espeak-ng speaks as one person: its voice with a variant, words a minute, and pitch (0 to 99)."""

    name: str
    speed: int
    pitch: int


VOICES = {
    "iris": Voice("en-gb-x-rp+f2", 156, 48),
    "tomas": Voice("en-us+m3", 150, 38),
    "wen": Voice("en-us+f4", 172, 76),
    "nora": Voice("en-gb-scotland+f3", 148, 34),
    "idris": Voice("en-gb-x-rp+m7", 160, 46),
    "mira": Voice("en-029+f5", 164, 54),
    "rex": Voice("en-us+m1", 190, 28),
    "gus": Voice("en-gb-x-gbclan+m5", 178, 34),
}


def _scenes(text: str) -> dict[str, dict[str, str]]:
    """The scenes of `turns.txt`: of each the turns in their order, with their words."""
    found: dict[str, dict[str, str]] = {}
    for line in text.splitlines():
        if line.startswith("["):
            scene = found[line.strip("[]")] = {}
        elif line and not line.startswith("#"):
            turn, _, words = line.partition(": ")
            scene[turn] = words
    return found


SCENES = _scenes(Path(__file__).with_name("turns.txt").read_text(encoding="utf-8"))
TURNS = {turn: words for scene in SCENES.values() for turn, words in scene.items()}


def speaker(turn: str) -> str:
    """The handle of who speaks a turn."""
    return turn.partition("-")[0]
