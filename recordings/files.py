"""The bytes of the recordings: `storages["recordings"]`, a folder or a bucket. Keys are `<space>/...`, "/" between."""

import contextlib
import hashlib
from collections.abc import Iterator
from typing import IO

from django.core.files.base import File
from django.core.files.storage import Storage, storages

BLOCK = 1 << 20  # octets


def storage() -> Storage:
    return storages["recordings"]


def read(key: str) -> bytes:
    """The whole file. Raises FileNotFoundError if there is none."""
    with storage().open(key) as file:
        return file.read()


def save(key: str, content: IO[bytes]) -> None:
    """Write a file whose key is used only once, so that a reader never meets half a file. Raises FileExistsError."""
    content.seek(0)
    saved = storage().save(key, File(content))
    if saved != key:
        storage().delete(saved)
        raise FileExistsError(key)


def sha256(content: IO[bytes]) -> str:
    """The SHA-256 of a whole file in hex, read block by block."""
    content.seek(0)
    digest = hashlib.sha256()
    while block := content.read(BLOCK):
        digest.update(block)
    return digest.hexdigest()


def folders() -> list[str]:
    """The top folders. Their names are ids of Spaces, unless an operator has put something else there."""
    return sorted(_listed("")[0])


def walk(prefix: str) -> Iterator[str]:
    """Every key below `prefix`, folder by folder."""
    below, names = _listed(prefix)
    for name in sorted(names):
        yield f"{prefix}/{name}" if prefix else name
    for folder in sorted(below):
        yield from walk(f"{prefix}/{folder}" if prefix else folder)


def remove(key: str) -> None:
    """Delete a file. Safe to repeat."""
    storage().delete(key)


def remove_tree(prefix: str) -> int:
    """Delete everything below `prefix` and the folders themselves. Returns the number of files. Safe to repeat."""
    below, names = _listed(prefix)
    for name in names:
        storage().delete(f"{prefix}/{name}")
    count = len(names) + sum(remove_tree(f"{prefix}/{folder}") for folder in below)
    with contextlib.suppress(OSError):  # a file arrived in between; the next run finds it
        storage().delete(prefix)
    return count


def _listed(prefix: str) -> tuple[list[str], list[str]]:
    try:
        folders, names = storage().listdir(prefix)
    except FileNotFoundError:
        return [], []
    return [name for name in folders if name], [name for name in names if name]
