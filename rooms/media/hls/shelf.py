"""The files of one Space: ``<root>/<folder>/``, with a playlist for each way of encoding and the one that names them.

Segments have names that nobody can guess. Every file is written under another name and renamed, so whoever sees it sees
the whole of it. A node that goes on where another one stopped reads its playlists and continues their numbers.
"""

import secrets
from collections import deque
from collections.abc import Mapping
from pathlib import Path

from ..opus import SAMPLE_RATE
from .leftovers import remove
from .playlist import Playlist, Segment, master, parse
from .segments import SEGMENT, WAYS, Cut

KEPT = 4  # segments that are not named any more, for those who read the playlist a moment ago


class Shelf:
    """One Space's folder, made or taken over. ``zero`` is the Unix time at which its room time begins."""

    def __init__(self, root: Path, folder: str, zero: float, position: int) -> None:
        self.path, self._zero = opened(root, folder), zero
        self._playlists = self._taken_over() or {way: Playlist(position // SEGMENT) for way in WAYS}
        self._gone = {way: deque[Segment]() for way in WAYS}
        self._inits: dict[str, tuple[bytes, str]] = {}
        self._breaks = True  # the next segment continues nothing
        self._clear()

    @property
    def next(self) -> int:
        """The number of the next segment."""
        return self._playlists["aac"].next

    def breaks(self) -> None:
        """What comes next does not continue what was before."""
        self._breaks = True
        self._inits.clear()

    def put(self, cuts: Mapping[str, Cut]) -> None:
        """Add a segment in each way of encoding, and delete what nobody fetches any more."""
        for way, cut in cuts.items():
            playlist = self._playlists[way]
            name = write(self.path, f"{secrets.token_urlsafe(16)}.m4s", cut.data)
            at, breaks = self._zero + cut.start / SAMPLE_RATE, self._breaks and bool(playlist.segments)
            segment = Segment(name, self._init(way, cut.init), cut.samples / SAMPLE_RATE, at, breaks)
            self._gone[way].extend(playlist.add(segment))
            write(self.path, f"{way}.m3u8", playlist.text().encode())
            self._delete(way)
        if not (self.path / "index.m3u8").exists():
            write(self.path, "own.m3u8", master({"aac": WAYS["aac"]}).encode())  # for players that mistake a choice
            write(self.path, "index.m3u8", master(WAYS).encode())
        self._breaks = False

    def end(self) -> None:
        """Say that nothing follows."""
        for way, playlist in self._playlists.items():
            playlist.ended = True
            write(self.path, f"{way}.m3u8", playlist.text().encode())

    def remove(self) -> None:
        """Delete everything."""
        remove(self.path)

    def _init(self, way: str, data: bytes) -> str:
        known = self._inits.get(way)
        if known is None or known[0] != data:
            self._inits[way] = known = data, write(self.path, f"{secrets.token_urlsafe(16)}.mp4", data)
        return known[1]

    def _delete(self, way: str) -> None:
        gone = self._gone[way]
        while len(gone) > KEPT:
            segment = gone.popleft()
            (self.path / segment.name).unlink(missing_ok=True)
            if all(segment.init != other.init for other in [*gone, *self._playlists[way].segments]):
                (self.path / segment.init).unlink(missing_ok=True)

    def _taken_over(self) -> dict[str, Playlist] | None:
        """The playlists that another node left; None where there are none, or where they have come to their end."""
        try:
            found = {way: parse((self.path / f"{way}.m3u8").read_text()) for way in WAYS}
        except (OSError, ValueError):
            return None
        whole = len({playlist.next for playlist in found.values()}) == 1
        return found if whole and not any(playlist.ended for playlist in found.values()) else None

    def _clear(self) -> None:
        """Delete what no playlist names: the segments that the one before us would have deleted."""
        playlists = self._playlists.values()
        named = {name for playlist in playlists for one in playlist.segments for name in (one.name, one.init)}
        for file in self.path.iterdir():
            if file.suffix != ".m3u8" and file.name not in named:
                file.unlink(missing_ok=True)


def opened(root: Path, folder: str) -> Path:
    """The folder of this name, made where there is none, as whoever serves it may read it."""
    path = root / folder
    path.mkdir(mode=0o750, parents=True, exist_ok=True)
    return path


def write(folder: Path, name: str, data: bytes) -> str:
    """Write a file that nobody sees before it is whole, and return its name."""
    part = folder / ".part"
    part.write_bytes(data)
    part.chmod(0o640)
    part.rename(folder / name)
    return name
