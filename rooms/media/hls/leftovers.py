"""Folders of Spaces that nobody writes into any more: their nodes are dead, or were stopped."""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

ABANDONED_SECONDS = 60.0  # without a new file
KINDS = {".m3u8", ".m4s", ".mp4"}
PART = ".part"  # how a file ends until it is whole; its name begins with a dot
_NAME = re.compile(r"[\w-]{24}", re.ASCII)  # as `signature.folder` makes them


def leftovers(root: Path, now: float) -> Iterator[Path]:
    """The folders below ``root`` that nobody has written into for a while. ``now`` is in Unix seconds.

    Whatever else somebody keeps there is none: only folders with names of ours that hold nothing but files of ours.
    """
    for folder in _listed(root):
        with contextlib.suppress(OSError):
            if _is_ours(folder) and now - folder.stat().st_mtime > ABANDONED_SECONDS:
                yield folder


def sweep(root: Path, now: float) -> None:
    """Delete them."""
    for folder in leftovers(root, now):
        remove(folder)


def remove(folder: Path) -> None:
    """Delete a Space's folder, unless a file comes into it meanwhile; nothing happens where there is none."""
    with contextlib.suppress(OSError):
        for file in folder.iterdir():
            file.unlink(missing_ok=True)
        folder.rmdir()


def _listed(root: Path) -> list[Path]:
    try:
        return list(root.iterdir())
    except OSError:  # no Space was ever heard this way here, or it is another machine that writes them
        return []


def _is_ours(folder: Path) -> bool:
    if not _NAME.fullmatch(folder.name) or folder.is_symlink() or not folder.is_dir():
        return False
    return all(file.suffix in KINDS or _is_part(file.name) for file in folder.iterdir())


def _is_part(name: str) -> bool:
    return name.startswith(".") and name.endswith(PART)
