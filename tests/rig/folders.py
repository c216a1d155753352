"""Folders of test runs: each names its process, so that a later run clears up after one that was killed."""

import os
import shutil
import tempfile
from pathlib import Path

from spaces_project.machine import embedded

PREFIX = "spaces-test-"


def make(kind: str, pid: int) -> Path:
    """A folder that is short enough for sockets, whatever pytest's own are called."""
    return Path(tempfile.mkdtemp(prefix=f"{PREFIX}{pid}-{kind}-"))


def make_open(kind: str) -> Path:
    """A folder that every user of the machine may enter, as /srv/spaces is."""
    made = make(kind, os.getpid())
    made.chmod(0o755)
    return made


def remove(folder: Path) -> None:
    """Remove the folder, and what PostgreSQL had elsewhere for it, or for `var` in it (as root)."""
    homes = [embedded.postgres_home(one) for one in (folder, folder / "var")]
    for one in (folder, *homes):
        shutil.rmtree(one, ignore_errors=True)


def sweep() -> None:
    """Remove the folders of runs that were killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*-*-*"):
        pid = folder.name.removeprefix(PREFIX).partition("-")[0]
        if pid.isdigit() and not Path(f"/proc/{pid}").exists():
            remove(folder)
