"""One turn at the microphone on a node."""

from rooms.media.capture.tap import Tap
from rooms.media.contract.held import VOICE_COUNTS, HeldVoice
from rooms.media.contract.standing import Voice as StandingVoice
from rooms.media.sound.leveller import Leveller
from rooms.media.sound.opus import Pcm
from rooms.media.sound.voice import OnPacket, Voice


class Speaker:
    """A turn at the microphone while it lasts. `voice` is None while it is muted, `tap` if it is not recorded."""

    def __init__(self, standing: StandingVoice, tap: Tap | None) -> None:
        self.turn, self.tap = standing.turn, tap
        self.voice: Voice | None = None
        self._leveller = Leveller()

    def unmute(self, keep: OnPacket | None) -> None:
        """Let it be heard, unless it is already. `keep` gets each packet."""
        if self.voice is None:
            self.voice = Voice(keep, self._leveller)

    def mute(self) -> Pcm | None:
        """Close its chunk and stop its sound. Returns one last frame that fades out, None if it was not audible."""
        last = self.voice.fade_out() if self.voice is not None else None
        self.voice = None
        if self.tap is not None:
            self.tap.close()
        return last

    @property
    def is_still(self) -> bool:
        """Whether nothing comes, nothing is left to play and no chunk is open."""
        return (self.voice is None or self.voice.is_still) and (self.tap is None or not self.tap.is_open)

    @property
    def counts(self) -> dict[str, int]:
        """The VOICE_COUNTS of the voice since it was last muted. Empty while it is muted."""
        return {name: getattr(self.voice.jitter, name) for name in VOICE_COUNTS} if self.voice is not None else {}

    @property
    def held(self) -> HeldVoice:
        """What the node answers about this turn."""
        return HeldVoice(self.turn, self.voice is None, **self.counts)
