"""The HLS files of one Space while its node writes them."""

from rooms.media.contract.standing import FOREVER_MS
from rooms.media.hls.feed import Feed
from rooms.media.hls.messages import End
from rooms.media.sound.opus import Pcm
from rooms.media.units import MS


class LiveFiles:
    """Writes the mix while listeners want it as files. Positions are samples of room time."""

    def __init__(self) -> None:
        self.feed: Feed | None = None
        self.wanted_until = 0.0  # seconds of the node's clock
        self._from, self._until = 0, FOREVER_MS * MS

    def limit(self, from_ms: int, until_ms: int) -> None:
        """Write only what lies between these room times: while a Space moves, another node writes the rest."""
        self._from, self._until = from_ms * MS, until_ms * MS

    def begin(self, feed: Feed, until: float) -> None:
        """Write to `feed`, unless files are written already, until the clock says `until`."""
        if self.feed is None:
            self.feed = feed
        self.wanted_until = until

    def end(self, how: End) -> None:
        """Write nothing more of the Space."""
        if self.feed is not None:
            self.feed.end(how)
            self.feed = None

    def write(self, mix: Pcm | None, packet: bytes | None, position: int) -> None:
        """Hand over the mix of one tick. None is silence."""
        if self.feed is None:
            return
        if position >= self._until:
            self.end("moved")
        elif position >= self._from:
            self.feed.write(mix, packet, position)

    def note_levels(self, levels: dict[str, int]) -> None:
        """Let the files say how loud each voice is, 0 to 100 by participant."""
        if self.feed is not None:
            self.feed.levels = levels
