"""What a running `runspaces` leaves for other commands of the same folder: the addresses and ports that it chose."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from spaces_project import env

FILE = "running.env"
OWNER = "SPACES_SUPERVISOR"  # process id of whoever wrote the file


@contextmanager
def told(var: Path, variables: Mapping[str, str]) -> Iterator[None]:
    """Leave the variables in `var` for a while."""
    file, new = var / FILE, var / f"{FILE}.new"
    lines = [f"{name}={value}\n" for name, value in ({OWNER: str(os.getpid())} | dict(variables)).items()]
    new.write_text("".join(lines), encoding="utf-8")
    new.rename(file)
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def load(var: Path) -> None:
    """Take what the running `runspaces` of `var` says, where the environment itself says nothing."""
    found = env.read_file(var / FILE)
    if _runs(found.pop(OWNER, "")):
        env.add(found)


def _runs(pid: str) -> bool:
    """Whether the process is a supervisor: one that was killed leaves its file, and its id may be another's now."""
    try:
        return pid.isdigit() and b"runspaces" in Path("/proc", pid, "cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
