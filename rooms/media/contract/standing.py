"""What a media node may do for whom in one Space, as the web side last said.

The web side writes it as JSON under ``KEY`` in Redis and publishes ``"<space> <version>"`` on ``CHANNEL``; the node
applies it and acknowledges the version under ``ACK_KEY``, again and again, since Redis may lose it. A missing key means
that the Space is closed. Who merely left is not in it: ``"<space> <participant>"`` is published on ``LEFT``, and the
web side compares, now and then, who is here with who should be. While somebody hears a Space as files (HLS), ``"<space>
<boot>"`` is published on ``HEARD`` every few seconds: which start of a node is to write them.
"""

import msgspec

KEY = "spaces:standing:{space}"
CHANNEL = "spaces:standing"
LEFT = "spaces:left"
HEARD = "spaces:heard"
ACK_KEY = "spaces:standing:ack:{space}"
ENDED_SECONDS = 600  # an ended Space's standing and its acknowledgement stay that long, so that everybody has read them
MAX_VOICES = 12
FOREVER_MS = 2**53


class Voice(msgspec.Struct, frozen=True):
    """One turn at the microphone: who, which turn, and whether muted."""

    participant: str
    turn: str
    muted: bool = False


class Standing(msgspec.Struct, frozen=True):
    """One version of the rights of a Space. ``started_at`` (Unix seconds) is the zero of its room time.

    `boot` is the boot on which the Space is placed; empty means any that has it. It keeps the sound from `from_ms` of
    room time on. Until then `boot_before` keeps it, if it is set.
    """

    space: str
    version: int
    started_at: float
    ended: bool = False
    recorded: bool = True
    voices: tuple[Voice, ...] = ()
    removed: frozenset[str] = frozenset()
    boot: str = ""
    boot_before: str = ""
    from_ms: int = 0

    def __post_init__(self) -> None:
        if len(self.voices) > MAX_VOICES:
            raise ValueError(f"{len(self.voices)} voices, at most {MAX_VOICES}")

    def voice(self, participant: str) -> Voice | None:
        """Return the participant's turn at the microphone, None for a listener."""
        return next((voice for voice in self.voices if voice.participant == participant), None)

    def admits(self, participant: str) -> bool:
        """Whether the participant may be connected at all."""
        return not self.ended and participant not in self.removed

    def places_on(self, boot: str) -> bool:
        """Whether the Space is placed on this boot."""
        return self.boot in ("", boot)

    def kept_by(self, boot: str) -> tuple[int, int]:
        """Return from when until when this boot keeps the sound, in ms of room time. The same twice means never."""
        if self.places_on(boot):
            return self.from_ms, FOREVER_MS
        return 0, self.from_ms if boot == self.boot_before else 0

    def supersedes(self, other: "Standing | None") -> bool:
        """Whether this version is to be applied over the other one (the same version again changes nothing)."""
        return other is None or self.version > other.version


def parse(data: bytes | str) -> Standing:
    """Read a standing from JSON; raise ValueError where it is not one."""
    return msgspec.json.decode(data, type=Standing)
