"""The HLS writer's process: reads the node's socket until the node is gone."""

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

LOOK_SECONDS = 1.0  # between two rounds of upkeep
NICE = 5  # the node itself goes first
TRIAL_SECONDS = 5.0  # between two trials of the folder
TRIAL_SIZE = 1 << 16  # octets, more than a segment
MAX_MESSAGE = 1 << 18  # octets
MAX_WAITING = 2000  # pieces of 200 ms; more are dropped


class Trial:
    """Tells the node whether files can be written in `root`, so that it offers no files that do not come."""

    def __init__(self, node: socket.socket, root: Path) -> None:
        self._node, self._root = node, root
        self._writes: bool | None = None
        self._tried = 0.0

    def look(self, now: float) -> None:
        """Try again every TRIAL_SECONDS. `now` is in seconds of any clock."""
        if self._writes is None or now - self._tried > TRIAL_SECONDS:
            self._tried = now
            try:
                self._try()
            except OSError as error:
                self.fails(error)
            else:
                self._say(True)

    def fails(self, error: Exception) -> None:
        """Note that a file was not written. Log only the first failure in a row."""
        if self._writes is not False:
            log.error("HLS files cannot be written: %s", error)
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
            log.info("HLS files are written again")
        if writes != self._writes:
            with contextlib.suppress(OSError):  # the node is gone; the reader notices it
                self._node.send(WRITES if writes else FAILS)
        self._writes = writes


def receive(node: socket.socket, pieces: "queue.Queue[bytes | None]") -> None:
    """Move messages from the socket to the queue at once: the node does not wait. Put None at the end."""
    try:
        _pass_on(node, pieces)
    finally:
        pieces.put(None)


def _pass_on(node: socket.socket, pieces: "queue.Queue[bytes | None]") -> None:
    keeps_up = True
    while data := _read(node):
        if pieces.full() and isinstance(parse(data), Piece):
            if keeps_up:
                log.error("the HLS writer does not keep up with the sound")
            keeps_up = False
        else:
            pieces.put(data)
            keeps_up = keeps_up or pieces.qsize() < MAX_WAITING // 2


def _read(node: socket.socket) -> bytes:
    try:
        return node.recv(MAX_MESSAGE)
    except ConnectionResetError:  # the node ended without reading our messages; its own are still there
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
        except (OSError, ValueError, av.FFmpegError) as error:  # the disk may be full now and free later
            trial.fails(error)


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # it ends with its node, which may still send its last pieces
    av.logging.set_level(None)
    logging.basicConfig(level=logging.INFO)
    os.nice(NICE)
    run(socket.socket(fileno=int(sys.argv[1])), Path(sys.argv[2]))
