"""The output of child processes: onto the console with their names, or into one file per process."""

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Protocol

Say = Callable[[str], None]

LARGEST = 5_000_000  # octets of a file; a larger one becomes `.log.1` and replaces the one before
ERROR_PAUSE_SECONDS = 10.0  # between two errors of one process on the console
SHOWN = 200  # characters of an error
# Errors as our logs mark them (spaces_project/logs.py), and as Python prints exceptions that were not caught.
ERROR = re.compile(r"\[(error|critical)\s*\]|^(Traceback \(most recent call last\):|CommandError: )")


class Output(Protocol):
    """Takes the output of children line by line. `place` says in words where that output can be read."""

    def take(self, name: str, line: str) -> None: ...

    def place(self, name: str) -> str: ...


class Console:
    """Prints every line after the name of its process."""

    def __init__(self, say: Say) -> None:
        self._say = say

    def take(self, name: str, line: str) -> None:
        self._say(f"{name:>8} | {line}")

    def place(self, name: str) -> str:
        return "above"


class LogFiles:
    """Writes `NAME.log` for each process into a folder. The console gets only errors, with the names of their files.

    A file from an earlier start becomes `NAME.log.1`. The console gets at most one error of a process in ten seconds.
    The file has all of them.
    """

    def __init__(self, folder: Path, say: Say) -> None:
        self._folder, self._say = folder, say
        self._files: dict[str, IO[str]] = {}
        self._shown_at: dict[str, float] = {}
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def take(self, name: str, line: str) -> None:
        file = self._files.get(name) or self._opened(name)
        file.write(f"{line}\n")
        if file.tell() > LARGEST:
            self._files.pop(name).close()
        if ERROR.search(line):
            self._show(name, line)

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

    def _show(self, name: str, line: str) -> None:
        now = time.monotonic()
        if now - self._shown_at.get(name, -ERROR_PAUSE_SECONDS) >= ERROR_PAUSE_SECONDS:
            self._shown_at[name] = now
            self._say(f"{name}: {line[:SHOWN]} (more {self.place(name)})")
