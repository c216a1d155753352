"""Child processes that do not outlive their parent, and locks that name their owner."""

import ctypes
import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

PR_SET_PDEATHSIG = 1  # prctl(2)
_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent(death_signal: int) -> None:
    """Let the kernel send `death_signal` to this process when the thread that started it ends."""
    _libc.prctl(PR_SET_PDEATHSIG, death_signal)


def spawn(command: Sequence[str | Path], death_signal: int = signal.SIGTERM, **options: Any) -> subprocess.Popen[bytes]:
    """Start `command` in a process group of its own; the kernel sends it `death_signal` when this process dies.

    Call it from the main thread: the kernel counts the end of the starting thread as the death of the parent.
    """
    parent = os.getpid()

    def bind_to_parent() -> None:
        die_with_parent(death_signal)
        if os.getppid() != parent:  # it died before the signal was set
            os._exit(1)

    return subprocess.Popen(command, process_group=0, preexec_fn=bind_to_parent, stdin=subprocess.DEVNULL, **options)


def stop(process: subprocess.Popen[bytes], *steps: tuple[int, float]) -> None:
    """Send each step's signal and wait its seconds. At the end, send SIGKILL to the whole group."""
    for number, seconds in steps:
        if process.poll() is not None:
            break
        process.send_signal(number)
        with_patience(lambda: process.poll() is not None, seconds)
    kill_group(process)
    process.wait()


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Send SIGKILL to the process and to all processes of its group."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def with_patience(done: Callable[[], bool], seconds: float) -> bool:
    """Ask `done` until it returns True or `seconds` are over. Returns its last answer."""
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def working_in(folder: Path) -> list[int]:
    """Ids of the processes that have `folder` as working directory, or were started with it as an argument."""
    return [int(process.name) for process in Path("/proc").glob("[0-9]*") if _works_in(process, folder)]


def _works_in(process: Path, folder: Path) -> bool:
    try:
        if os.fsencode(folder) in (process / "cmdline").read_bytes().split(b"\0"):
            return True
        return (process / "cwd").readlink() == folder.resolve()
    except OSError:  # it has ended meanwhile, or belongs to another user
        return False


class Lock:
    """An advisory lock on a file, released when the process ends, however it ends. The file holds its owner's id."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[str] | None = None

    def take(self, shared: bool = False, wait: bool = False) -> bool:
        """Take the lock. Without `wait`, return False if another process has it."""
        file = self.path.open("a+", encoding="ascii")
        try:
            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            file.close()
            return False
        if not shared:
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
        self._file = file
        return True

    def release(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def owner(self) -> str:
        """The id of the process that took it last, for messages."""
        return self.path.read_text(encoding="ascii").strip() if self.path.exists() else "unknown"
