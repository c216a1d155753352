"""Where the words of the children go: onto the console with their names, or into files, one per process."""

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Protocol

Say = Callable[[str], None]

LARGEST = 5_000_000  # octets of a file; then it is put aside, and the one before is gone
ERROR_PAUSE_SECONDS = 10.0  # between two errors of one process on the console
SHOWN = 200  # characters of an error
# As our logs mark errors for people (spaces_project/logs.py), and as Python says what nobody caught.
ERROR = re.compile(r"\[(error|critical)\s*\]|^(Traceback \(most recent call last\):|CommandError: )")


class Output(Protocol):
    """Takes what children say, line by line, and says where it stands afterwards."""

    def take(self, name: str, line: str) -> None: ...

    def place(self, name: str) -> str: ...


class Console:
    """Everything, with the name of the process before it."""

    def __init__(self, say: Say) -> None:
        self._say = say

    def take(self, name: str, line: str) -> None:
        self._say(f"{name:>8} | {line}")

    def place(self, name: str) -> str:
        return "above"


class LogFiles:
    """`NAME.log` in a folder for each process; on the console only errors, each with the name of its file.

    A file of the start before becomes `NAME.log.1`. What a process writes faster than once in ten seconds as an error
    is in its file alone.
    """

    def __init__(self, folder: Path, say: Say) -> None:
        self._folder, self._say = folder, say
        self._files: dict[str, IO[str]] = {}
        self._said_at: dict[str, float] = {}
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def take(self, name: str, line: str) -> None:
        file = self._files.get(name) or self._opened(name)
        file.write(f"{line}\n")
        if file.tell() > LARGEST:
            self._files.pop(name).close()
        if ERROR.search(line):
            self._tell(name, line)

    def place(self, name: str) -> str:
        return f"in {self._path(name)}"

    def close(self) -> None:
        for file in self._files.values():
            file.close()
        self._files.clear()

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    def _opened(self, name: str) -> IO[str]:
        path = self._path(name)
        if path.exists():
            path.replace(path.with_suffix(".log.1"))
        file = self._files[name] = path.open("a", buffering=1, encoding="utf-8")
        return file

    def _tell(self, name: str, line: str) -> None:
        now = time.monotonic()
        if now - self._said_at.get(name, -ERROR_PAUSE_SECONDS) >= ERROR_PAUSE_SECONDS:
            self._said_at[name] = now
            self._say(f"{name}: {line[:SHOWN]} (more {self.place(name)})")
