"""Writes the streams of one node into their folders, in a process of its own (``python -m rooms.media.hls``)."""

import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from rooms.media.hls.files import Shelf
from rooms.media.hls.leftovers import sweep
from rooms.media.hls.levels import Levels
from rooms.media.hls.messages import Ended, Piece
from rooms.media.hls.playlist import TARGET_SECONDS, WINDOW
from rooms.media.hls.segments import Cut, Stretch
from rooms.media.sound.opus import SILENT_PACKET
from rooms.media.units import FRAME, SAMPLE_RATE

log = logging.getLogger(__name__)

SLACK = 2 * FRAME  # samples by which a piece may lie beside the end of the one before: the node's clock was set
FILLED = SAMPLE_RATE  # samples that may be missing and are filled with silence; more is a break
LINGER_SECONDS = TARGET_SECONDS * WINDOW  # for which the files of a Space that is over can be heard to their end
SWEEP_SECONDS = 20.0


class Stream:
    """One Space: what was written of it, and what is not whole yet."""

    def __init__(self, root: Path, piece: Piece) -> None:
        self._stretch, self._levels = Stretch(piece.position), Levels()
        self.shelf = Shelf(root, piece.folder, piece.zero, piece.position)

    def write(self, piece: Piece) -> None:
        """Add a piece, after silence for what is missing before it, without what is there already."""
        missing = piece.position - self._stretch.end
        if not -FILLED <= missing <= FILLED:
            self._break(piece.position)
        elif missing > SLACK:
            self._add([SILENT_PACKET] * (missing // FRAME), b"")
        self._levels.note(piece.position, len(piece.packets) * FRAME, piece.levels)
        skipped = -missing // FRAME if -FILLED <= missing < -SLACK else 0
        self._add(piece.packets[skipped:], piece.pcm[skipped * FRAME * 2 :])

    def finish(self) -> None:
        """Write what is left."""
        self._finish(self._stretch)

    def _add(self, packets: list[bytes], pcm: bytes) -> None:
        if packets:
            self._stretch.write(pcm or bytes(len(packets) * FRAME * 2), packets)
        while self._stretch.is_whole:
            self._put(self._stretch.cut(self.shelf.begin()))

    def _break(self, position: int) -> None:
        before, self._stretch = self._stretch, Stretch(position)
        try:
            self._finish(before)
        finally:
            self._levels = Levels()
            self.shelf.breaks()

    def _finish(self, stretch: Stretch) -> None:
        self._put(stretch.finish(self.shelf.begin()))

    def _put(self, cuts: Mapping[str, Cut] | None) -> None:
        if cuts is not None:
            cut = cuts["opus"]
            self.shelf.put(cuts, self._levels.take(cut.start, cut.samples))


class Writer:
    """All streams of one node below ``root``. ``clock`` gives Unix seconds."""

    def __init__(self, root: Path, clock: Callable[[], float] = time.time) -> None:
        self._root, self._clock = root, clock
        self._streams: dict[str, Stream] = {}
        self._over: list[tuple[float, Shelf]] = []
        self._swept = 0.0

    def take(self, message: Piece | Ended) -> None:
        """Do what a message says. Whatever it raises, the next piece is written again, after a break."""
        if isinstance(message, Ended):
            self._end(message)
            return
        stream = self._streams.pop(message.folder, None) or Stream(self._root, message)
        stream.write(message)
        self._streams[message.folder] = stream

    def look_after(self) -> None:
        """Delete the folders whose time is over; to be called once a second or so."""
        now = self._clock()
        due = [shelf for until, shelf in self._over if until <= now and shelf.path.name not in self._streams]
        self._over = [(until, shelf) for until, shelf in self._over if until > now]
        for shelf in due:
            shelf.remove()
        if now - self._swept > SWEEP_SECONDS:
            self._swept = now
            sweep(self._root, now)

    def _end(self, message: Ended) -> None:
        stream = self._streams.pop(message.folder, None)
        if stream is None:
            return
        if message.how == "over":
            self._over.append((self._clock() + LINGER_SECONDS, stream.shelf))
            stream.finish()
            stream.shelf.end()
        elif message.how == "unheard":
            stream.shelf.remove()
        elif stream.shelf.is_ours:  # the node that has it now goes on in the same folder, after what was heard here
            stream.finish()
