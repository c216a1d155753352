"""The writer's process: reads the node's socket until the node is gone, however it went."""

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

from .wire import parse
from .writer import Writer

log = logging.getLogger("rooms.media.hls")

LOOK_SECONDS = 1.0
NICE = 5  # the node itself, and whatever else is urgent, goes first
MAX_MESSAGE = 1 << 18
MAX_WAITING = 2000  # pieces of 200 ms; what comes while so many wait is dropped


def receive(node: socket.socket, pieces: "queue.Queue[bytes | None]") -> None:
    """Take what comes off the socket at once, since the node does not wait for room in it."""
    while data := node.recv(MAX_MESSAGE):
        try:
            pieces.put_nowait(data)
        except queue.Full:
            log.error("the writer does not keep up with the sound")
    pieces.put(None)


def run(node: socket.socket, root: Path) -> None:
    """Write until the node closes its end."""
    pieces: queue.Queue[bytes | None] = queue.Queue(MAX_WAITING)
    threading.Thread(target=receive, args=(node, pieces), daemon=True).start()
    writer, looked = Writer(root), 0.0
    while True:
        try:
            if time.monotonic() - looked > LOOK_SECONDS:
                looked = time.monotonic()
                writer.look_after()
            data = pieces.get(timeout=LOOK_SECONDS)
            if data is None:
                return
            writer.take(parse(data))
        except queue.Empty:
            continue
        except (OSError, ValueError, av.FFmpegError) as error:  # a full disk: what comes next may be written again
            log.error("a piece of the sound was not written: %s", error)


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # it ends with its node, which still has something to say then
    av.logging.set_level(None)
    logging.basicConfig(level=logging.INFO)
    os.nice(NICE)
    run(socket.socket(fileno=int(sys.argv[1])), Path(sys.argv[2]))
