"""The writer's process: reads the node's socket until the node is gone, however it went."""

import contextlib
import logging
import os
import queue
import signal
import socket
import sys
import threading
import time
from pathlib import Path

import av

from rooms.media.hls.messages import FAILS, WRITES, Piece, parse
from rooms.media.hls.writer import Writer

log = logging.getLogger("rooms.media.hls")

LOOK_SECONDS = 1.0
NICE = 5  # the node itself, and whatever else is urgent, goes first
TRIAL_SECONDS = 5.0
TRIAL_SIZE = 1 << 16  # more than a segment
MAX_MESSAGE = 1 << 18
MAX_WAITING = 2000  # pieces of 200 ms; what comes while so many wait is dropped


class Trial:
    """Tells the node whether files can be written in ``root``, so that nobody is sent to files that do not come."""

    def __init__(self, node: socket.socket, root: Path) -> None:
        self._node, self._root = node, root
        self._writes: bool | None = None
        self._tried = 0.0

    def look(self, now: float) -> None:
        """Try it again after a while; ``now`` is in seconds of any clock."""
        if self._writes is None or now - self._tried > TRIAL_SECONDS:
            self._tried = now
            try:
                self._try()
            except OSError as error:
                self.fails(error)
            else:
                self._say(True)

    def fails(self, error: Exception) -> None:
        """Something was not written; log it unless that is known."""
        if self._writes is not False:
            log.error("the sound as files is not written: %s", error)
        self._say(False)

    def _try(self) -> None:
        self._root.mkdir(mode=0o750, parents=True, exist_ok=True)
        file = self._root / f".trial-{os.getpid()}"
        try:
            file.write_bytes(bytes(TRIAL_SIZE))
        finally:
            file.unlink(missing_ok=True)

    def _say(self, writes: bool) -> None:
        if writes and self._writes is False:
            log.info("the sound as files is written again")
        if writes != self._writes:
            with contextlib.suppress(OSError):  # the node is gone, which whoever reads from it sees, too
                self._node.send(WRITES if writes else FAILS)
        self._writes = writes


def receive(node: socket.socket, pieces: "queue.Queue[bytes | None]") -> None:
    """Take what comes off the socket at once, since the node does not wait for room in it; None at its end."""
    try:
        _pass_on(node, pieces)
    finally:
        pieces.put(None)


def _pass_on(node: socket.socket, pieces: "queue.Queue[bytes | None]") -> None:
    keeps_up = True
    while data := _read(node):
        if pieces.full() and isinstance(parse(data), Piece):
            if keeps_up:
                log.error("the writer does not keep up with the sound")
            keeps_up = False
        else:
            pieces.put(data)
            keeps_up = keeps_up or pieces.qsize() < MAX_WAITING // 2


def _read(node: socket.socket) -> bytes:
    try:
        return node.recv(MAX_MESSAGE)
    except ConnectionResetError:  # it went before it read what was said to it; what it sent is still there
        return node.recv(MAX_MESSAGE)


def run(node: socket.socket, root: Path) -> None:
    """Write until the node closes its end."""
    pieces: queue.Queue[bytes | None] = queue.Queue(MAX_WAITING)
    threading.Thread(target=receive, args=(node, pieces), daemon=True).start()
    writer, trial, looked = Writer(root), Trial(node, root), -LOOK_SECONDS
    while True:
        try:
            if time.monotonic() - looked > LOOK_SECONDS:
                looked = time.monotonic()
                trial.look(looked)
                writer.look_after()
            data = pieces.get(timeout=LOOK_SECONDS)
            if data is None:
                return
            writer.take(parse(data))
        except queue.Empty:
            continue
        except (OSError, ValueError, av.FFmpegError) as error:  # a full disk: what comes next may be written again
            trial.fails(error)


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # it ends with its node, which still has something to say then
    av.logging.set_level(None)
    logging.basicConfig(level=logging.INFO)
    os.nice(NICE)
    run(socket.socket(fileno=int(sys.argv[1])), Path(sys.argv[2]))
