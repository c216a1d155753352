"""What a running `runspaces` leaves for other commands in the same folder: the addresses and ports that it uses."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from spaces_project import env

FILE = "running.env"
OWNER = "SPACES_SUPERVISOR"  # id of the process that wrote the file


@contextmanager
def published(var: Path, variables: Mapping[str, str]) -> Iterator[None]:
    """Leave the variables in `var` until the block ends."""
    file, new = var / FILE, var / f"{FILE}.new"
    lines = [f"{name}={value}\n" for name, value in ({OWNER: str(os.getpid())} | dict(variables)).items()]
    new.write_text("".join(lines), encoding="utf-8")
    new.rename(file)
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def load(var: Path) -> None:
    """Take the variables of the running `runspaces` of `var` that the environment does not set."""
    found = env.read_file(var / FILE)
    if _runs(found.pop(OWNER, "")):
        env.add(found)


def _runs(pid: str) -> bool:
    """Whether the process is a supervisor. A killed one leaves its file, and another process may have its id now."""
    try:
        return pid.isdigit() and b"runspaces" in Path("/proc", pid, "cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
