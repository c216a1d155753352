"""Chunks on their way from the node to the storage: written to the node's disk, then shipped, then deleted.

One thread does it, so that a slow disk or storage never delays the sound. The next node that uses the folder ships what
a killed node left behind.
"""

import contextlib
import fcntl
import logging
import os
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from rooms.media.capture.ogg import OggError
from rooms.media.capture.tap import Chunk, chunk_from

log = logging.getLogger(__name__)

RETRY_SECONDS = (1.0, 2.0, 5.0, 15.0, 30.0)
MAX_IN_MEMORY = 500  # chunks, of about 30 kB each, kept while the disk is full


class Spool:
    """A folder per node below `root`, locked by the node, and the thread that ships out of it.

    `ship(chunk)` is called in that thread. If it raises, it is called again, so it must be safe to repeat. The
    constructor raises OSError if another node has the folder.
    """

    def __init__(self, root: Path, name: str, ship: Callable[[Chunk], None]) -> None:
        self._root, self._folder, self._ship = root, root / name, ship
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # recordings are private
        self._lock = _locked(self._folder)
        if self._lock is None:
            raise OSError(f"another node named {name} uses {self._folder}")
        self._chunks: queue.SimpleQueue[Chunk | None] = queue.SimpleQueue()
        self._unwritten: deque[Chunk] = deque(maxlen=MAX_IN_MEMORY)
        self._failures, self._next_try = 0, 0.0
        self._thread = threading.Thread(target=self._run, name="spool", daemon=True)

    @property
    def waiting(self) -> int:
        """How many files wait for the storage."""
        return sum(1 for _ in self._folder.glob("*.opus"))

    def start(self) -> None:
        """Begin to ship, first what nodes before left behind."""
        self._adopt_leftovers()
        self._thread.start()

    def submit(self, chunk: Chunk) -> None:
        """Hand over a closed chunk. Returns at once."""
        self._chunks.put(chunk)

    def close(self, seconds: float = 2.0) -> None:
        """Write everything to disk, ship what can be shipped within `seconds`, leave the rest to the next boot."""
        self._chunks.put(None)
        self._thread.join(seconds)
        self.unlock()

    def unlock(self) -> None:
        """Release the folder, so that another node can use it."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _adopt_leftovers(self) -> None:
        """Take over the files of nodes that are gone. Their folders are not locked."""
        for folder in self._root.iterdir():
            if folder == self._folder or not folder.is_dir():
                continue
            lock = _locked(folder)
            if lock is None:
                continue
            for path in folder.glob("*.opus"):
                path.replace(self._folder / path.name)
            os.close(lock)

    def _run(self) -> None:
        self._ship_all()
        while True:
            with contextlib.suppress(queue.Empty):
                chunk = self._chunks.get(timeout=max(0.0, self._next_try - time.monotonic()))
                if chunk is None:
                    return self._ship_all()
                self._write(chunk)
            if self._failures == 0 or time.monotonic() >= self._next_try:
                self._ship_all()

    def _ship_all(self) -> None:
        """Ship what waits, oldest first, until something fails. Then wait longer each time."""
        shipped = all(map(self._ship_file, sorted(self._folder.glob("*.opus")))) and self._ship_unwritten()
        self._failures = 0 if shipped else self._failures + 1
        pause = RETRY_SECONDS[min(self._failures, len(RETRY_SECONDS)) - 1]  # the longest one if nothing failed
        self._next_try = time.monotonic() + pause

    def _write(self, chunk: Chunk) -> None:
        """Write and rename, so that a file is whole or absent. Keep the chunk in memory if the disk refuses."""
        try:
            part = self._folder / "part"
            with part.open("wb") as file:
                file.write(chunk.data)
                file.flush()
                os.fsync(file.fileno())
            part.rename(self._path(chunk))
        except OSError as error:
            log.error("the spool cannot be written, chunk %s stays in memory: %s", chunk.key, error)
            self._unwritten.append(chunk)

    def _ship_unwritten(self) -> bool:
        while self._unwritten and self._try(self._unwritten[0]):
            self._unwritten.popleft()
        return not self._unwritten

    def _path(self, chunk: Chunk) -> Path:
        return self._folder / chunk.key.replace("/", "_")

    def _ship_file(self, path: Path) -> bool:
        try:
            chunk = chunk_from(path.read_bytes())
        except (OSError, OggError) as error:
            log.error("%s in the spool cannot be read: %s", path.name, error)
            with contextlib.suppress(OSError):
                path.rename(path.with_suffix(".damaged"))
            return True
        if self._try(chunk):
            path.unlink(missing_ok=True)
            return True
        return False

    def _try(self, chunk: Chunk) -> bool:
        try:
            self._ship(chunk)
        except Exception as error:  # storage and broker may raise anything: keep the chunk, try again
            log.warning("chunk %s waits in the spool: %s", chunk.key, error)
            return False
        return True


def _locked(folder: Path) -> int | None:
    descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor
