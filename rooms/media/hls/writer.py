"""Writes the HLS files of one node, in a process of its own (`python -m rooms.media.hls`)."""

import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from rooms.media.hls.folder import Folder
from rooms.media.hls.leftovers import sweep
from rooms.media.hls.levels import Levels
from rooms.media.hls.messages import Ended, Piece
from rooms.media.hls.playlist import TARGET_SECONDS, WINDOW
from rooms.media.hls.segments import Cut, Stretch
from rooms.media.sound.opus import SILENT_PACKET
from rooms.media.units import FRAME, SAMPLE_RATE

log = logging.getLogger(__name__)

SLACK = 2 * FRAME  # samples by which a piece may miss the end of the one before: the node's clock was set
FILLED = SAMPLE_RATE  # missing samples that are filled with silence; more are a break
LINGER_SECONDS = TARGET_SECONDS * WINDOW  # how long files stay after the end of their Space
SWEEP_SECONDS = 20.0


class Stream:
    """The files of one Space, and the sound that does not fill a segment yet."""

    def __init__(self, root: Path, piece: Piece) -> None:
        self._stretch, self._levels = Stretch(piece.position), Levels()
        self.folder = Folder(root, piece.folder, piece.zero, piece.position)

    def write(self, piece: Piece) -> None:
        """Add a piece. Fill a gap before it with silence, and leave out what is there already."""
        missing = piece.position - self._stretch.end
        if not -FILLED <= missing <= FILLED:
            self._break(piece.position)
        elif missing > SLACK:
            self._add([SILENT_PACKET] * (missing // FRAME), b"")
        self._levels.note(piece.position, len(piece.packets) * FRAME, piece.levels)
        skipped = -missing // FRAME if -FILLED <= missing < -SLACK else 0
        self._add(piece.packets[skipped:], piece.pcm[skipped * FRAME * 2 :])

    def finish(self) -> None:
        """Write the rest as a last segment."""
        self._finish(self._stretch)

    def _add(self, packets: list[bytes], pcm: bytes) -> None:
        if packets:
            self._stretch.write(pcm or bytes(len(packets) * FRAME * 2), packets)
        while self._stretch.is_whole:
            self._put(self._stretch.cut(self.folder.begin()))

    def _break(self, position: int) -> None:
        before, self._stretch = self._stretch, Stretch(position)
        try:
            self._finish(before)
        finally:
            self._levels = Levels()
            self.folder.breaks()

    def _finish(self, stretch: Stretch) -> None:
        self._put(stretch.finish(self.folder.begin()))

    def _put(self, cuts: Mapping[str, Cut] | None) -> None:
        if cuts is not None:
            cut = cuts["opus"]
            self.folder.put(cuts, self._levels.take(cut.start, cut.samples))


class Writer:
    """All streams of one node below `root`. `clock` gives Unix seconds."""

    def __init__(self, root: Path, clock: Callable[[], float] = time.time) -> None:
        self._root, self._clock = root, clock
        self._streams: dict[str, Stream] = {}
        self._over: list[tuple[float, Folder]] = []
        self._swept = 0.0

    def take(self, message: Piece | Ended) -> None:
        """Carry out a message. After an error, the next piece of that Space is written after a break."""
        if isinstance(message, Ended):
            self._end(message)
            return
        stream = self._streams.pop(message.folder, None) or Stream(self._root, message)
        stream.write(message)
        self._streams[message.folder] = stream

    def look_after(self) -> None:
        """Delete the folders whose time is over. Call it about once a second."""
        now = self._clock()
        due = [folder for until, folder in self._over if until <= now and folder.path.name not in self._streams]
        self._over = [(until, folder) for until, folder in self._over if until > now]
        for folder in due:
            folder.remove()
        if now - self._swept > SWEEP_SECONDS:
            self._swept = now
            sweep(self._root, now)

    def _end(self, message: Ended) -> None:
        stream = self._streams.pop(message.folder, None)
        if stream is None:
            return
        if message.how == "over":
            self._over.append((self._clock() + LINGER_SECONDS, stream.folder))
            stream.finish()
            stream.folder.end()
        elif message.how == "unheard":
            stream.folder.remove()
        elif stream.folder.is_ours:  # the next node continues in the same folder
            stream.finish()
