"""The standing of a Space: what its media node may do for whom.

The web side writes it as JSON under KEY in Redis and publishes a note with its version on CHANNEL. The node applies it
and acknowledges the version under ACK_KEY, repeatedly, because Redis may lose it. A missing key means that the Space is
closed.

The standing does not list participants who left. The web side publishes a note with the participant on LEFT, and from
time to time compares who is on the node with who should be. While a Space has HLS listeners, the web side publishes a
note on FILES every few seconds, with the boot that is to write the files.
"""

import msgspec

KEY = "spaces:standing:{space}"
CHANNEL = "spaces:standing"
LEFT = "spaces:left"
FILES = "spaces:files"
ACK_KEY = "spaces:standing:ack:{space}"
ENDED_SECONDS = 600  # how long the standing of an ended Space and its acknowledgement stay for readers
MAX_VOICES = 12
FOREVER_MS = 2**53


class Note(msgspec.Struct, frozen=True):
    """What is published about a Space: on CHANNEL a version, on LEFT a participant, on FILES a boot."""

    space: str
    about: str

    def __str__(self) -> str:
        return f"{self.space} {self.about}"


class Voice(msgspec.Struct, frozen=True):
    """One turn at the microphone: whose, which, and whether it is muted."""

    participant: str
    turn: str
    muted: bool = False


class Standing(msgspec.Struct, frozen=True):
    """One version of the rights of a Space. Its room time begins at `started_at`, in Unix seconds.

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
        """The participant's turn at the microphone, None for a listener."""
        return next((voice for voice in self.voices if voice.participant == participant), None)

    def admits(self, participant: str) -> bool:
        """Whether the participant may be connected at all."""
        return not self.ended and participant not in self.removed

    def places_on(self, boot: str) -> bool:
        """Whether the Space is placed on this boot."""
        return self.boot in ("", boot)

    def kept_by(self, boot: str) -> tuple[int, int]:
        """From when until when this boot keeps the sound, in ms of room time. The same twice means never."""
        if self.places_on(boot):
            return self.from_ms, FOREVER_MS
        return 0, self.from_ms if boot == self.boot_before else 0

    def supersedes(self, other: "Standing | None") -> bool:
        """Whether this version replaces the other one. The same version does not."""
        return other is None or self.version > other.version


def parse_note(data: bytes | str) -> Note:
    """Read a publication. Raises ValueError if it is no note."""
    words = (data.decode() if isinstance(data, bytes) else data).split(" ")
    if len(words) != 2 or not all(words):
        raise ValueError(f"not a Space and what is new about it: {data!r}")
    return Note(*words)


def parse(data: bytes | str) -> Standing:
    """Read a standing from JSON. Raises ValueError if it is none."""
    return msgspec.json.decode(data, type=Standing)
