"""HLS folders of Spaces whose nodes are gone: no node writes into them any more."""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

ABANDONED_SECONDS = 60.0  # without a new file
KINDS = {".m3u8", ".m4s", ".mp4"}
PART = ".part"  # how a file ends until it is whole; its name begins with a dot
_NAME = re.compile(r"[\w-]{24}", re.ASCII)  # as `signature.folder` makes them


def leftovers(root: Path, now: float) -> Iterator[Path]:
    """Yield the folders below `root` without a new file for ABANDONED_SECONDS. `now` is in Unix seconds.

    Anything else that is kept there is spared: only folders with the right names and nothing but HLS files count.
    """
    for folder in _listed(root):
        with contextlib.suppress(OSError):
            if _is_ours(folder) and now - folder.stat().st_mtime > ABANDONED_SECONDS:
                yield folder


def sweep(root: Path, now: float) -> None:
    """Delete the leftovers below `root`. `now` is in Unix seconds."""
    for folder in leftovers(root, now):
        remove(folder)


def remove(folder: Path) -> None:
    """Delete the folder of a Space, unless a new file arrives meanwhile. Do nothing if it is missing."""
    with contextlib.suppress(OSError):
        for file in folder.iterdir():
            file.unlink(missing_ok=True)
        folder.rmdir()


def _listed(root: Path) -> list[Path]:
    try:
        return list(root.iterdir())
    except OSError:  # no file was ever written here, or another machine writes them
        return []


def _is_ours(folder: Path) -> bool:
    if not _NAME.fullmatch(folder.name) or folder.is_symlink() or not folder.is_dir():
        return False
    return all(file.suffix in KINDS or _is_part(file.name) for file in folder.iterdir())


def _is_part(name: str) -> bool:
    return name.startswith(".") and name.endswith(PART)
