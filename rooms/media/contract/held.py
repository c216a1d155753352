"""What a media node answers about one Space."""

import msgspec


class Peers(msgspec.Struct, frozen=True):
    """Answer to `GET /spaces/{space}/peers`: the participants who have a peer here, connected or about to be."""

    participants: frozenset[str] = frozenset()


class Reception(msgspec.Struct, frozen=True):
    """How a browser receives, by its latest report (RFC 3550 section 6.4.2).

    `loss` is the share of packets lost since the report before. `expected` and `lost` count packets since some packet
    in the past. `round_trip_ms` is None until it is known.
    """

    loss: float
    jitter_ms: float
    round_trip_ms: float | None
    expected: int = 0
    lost: int = 0


class HeldVoice(msgspec.Struct, frozen=True):
    """One turn at the microphone. The counts are those of `JitterBuffer`, 0 while it is muted."""

    turn: str
    muted: bool
    received: int = 0
    lost: int = 0
    late: int = 0
    concealed: int = 0
    duplicates: int = 0
    overfull: int = 0
    malformed: int = 0
    jumps: int = 0


#: The counts of a voice, by the names that they have in a `JitterBuffer`.
VOICE_COUNTS = tuple(name for name in HeldVoice.__struct_fields__ if name not in ("turn", "muted"))


class Held(msgspec.Struct, frozen=True):
    """Answer to `GET /spaces/{space}`.

    `here`: participants whose sound is connected. `connected`: how many they are, `long` of them with packets of 60 ms.
    `encoder_step` is an index into `STEPS` of `sound/adaptation.py`. `voices`, `levels` (0 to 100) and `receptions` are
    by participant, `drops` by cause.
    """

    space: str = ""
    version: int = 0
    peers: int = 0
    here: frozenset[str] = frozenset()
    connected: int = 0
    long: int = 0
    encoder_step: int = 0
    voices: dict[str, HeldVoice] = {}
    levels: dict[str, int] = {}
    receptions: dict[str, Reception] = {}
    drops: dict[str, int] = {}

    def hears(self, participant: str) -> bool:
        """Whether the sound of this microphone arrives. A muted one has nothing to send."""
        voice = self.voices.get(participant)
        return participant in self.here and (voice is None or voice.muted or voice.received > 0)


NOTHING_HELD = Held()
