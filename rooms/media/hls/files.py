"""The files of one Space: ``<root>/<folder>/``, with a playlist for each way of encoding and the one that names them.

Segments have names that nobody can guess. Every file is written under another name and renamed, so whoever sees it sees
the whole of it. A node that goes on where another one stopped reads its playlists and continues their numbers.
"""

import secrets
from collections import deque
from collections.abc import Iterable, Mapping
from pathlib import Path

from rooms.media.hls.leftovers import PART, remove
from rooms.media.hls.playlist import Playlist, Segment, master, parse
from rooms.media.hls.segments import SEGMENT, WAYS, Cut
from rooms.media.units import SAMPLE_RATE

KEPT = 4  # segments that are not named any more, for those who read the playlist a moment ago


class Shelf:
    """One Space's folder. ``zero`` is the Unix time at which its room time begins, ``position`` the room time of what
    comes first. The folder is made, or taken over, with the first segment: until then the node before may still write
    its last one."""

    def __init__(self, root: Path, folder: str, zero: float, position: int) -> None:
        self.path, self._zero, self._position = root / folder, zero, position
        self._playlists: dict[str, Playlist] = {}
        self._gone = {way: deque[Segment]() for way in WAYS}
        self._inits: dict[str, tuple[bytes, str]] = {}
        self._breaks = True  # the next segment continues nothing

    @property
    def is_ours(self) -> bool:
        """Whether no other node has written into the folder since we did."""
        ours = self._playlists["aac"].segments if self._playlists else []
        found = self._found("aac")
        return bool(ours) and found is not None and [one.name for one in found.segments[-1:]] == [ours[-1].name]

    def begin(self) -> int:
        """Take over what the node before left, or begin, and return the number of the next segment."""
        if not self._playlists:
            self._playlists = self._taken_over() or {way: Playlist(self._position // SEGMENT) for way in WAYS}
            self._clear()
        return self._playlists["aac"].next

    def breaks(self) -> None:
        """What comes next does not continue what was before."""
        self._breaks = True
        self._inits.clear()

    def put(self, cuts: Mapping[str, Cut], levels: str = "") -> None:
        """Add a segment in each way of encoding, with the levels of its voices (``levels.py``), and delete what nobody
        fetches any more. May raise OSError."""
        self.begin()
        self._mend()
        made = {way: self._segment(way, cut, levels) for way, cut in cuts.items()}
        for way, segment in made.items():
            self._gone[way].extend(self._playlists[way].add(segment))
        self._breaks = False
        self._tell()
        for way in cuts:
            self._delete(way)

    def end(self) -> None:
        """Say that nothing follows. May raise OSError."""
        self.begin()
        self._mend()
        for playlist in self._playlists.values():
            playlist.ended = True
        self._tell()

    def remove(self) -> None:
        """Delete everything; where another node writes the folder by now, only what it does not name."""
        if self.is_ours:
            remove(self.path)
        else:
            found = [playlist for playlist in map(self._found, WAYS) if playlist is not None]
            named = _names(one for playlist in found for one in playlist.segments)
            for name in self._own - named:
                (self.path / name).unlink(missing_ok=True)

    @property
    def _own(self) -> set[str]:
        listed = [one for playlist in self._playlists.values() for one in playlist.segments]
        return _names([*listed, *(one for gone in self._gone.values() for one in gone)])

    def _segment(self, way: str, cut: Cut, levels: str) -> Segment:
        name = self._write(f"{secrets.token_urlsafe(16)}.m4s", cut.data)
        at, breaks = self._zero + cut.start / SAMPLE_RATE, self._breaks and bool(self._playlists[way].segments)
        return Segment(name, self._init(way, cut.init), cut.samples / SAMPLE_RATE, at, breaks, levels)

    def _mend(self) -> None:
        """Make the folder. Where somebody has deleted what was in it, name nothing of that; the numbers go on."""
        if all((self.path / f"{way}.m3u8").exists() for way in WAYS):
            return
        opened(self.path.parent, self.path.name)
        for way, playlist in self._playlists.items():
            playlist.forget()
            self._gone[way].clear()
        self._inits.clear()
        self._clear()

    def _tell(self) -> None:
        for way, playlist in self._playlists.items():
            self._write(f"{way}.m3u8", playlist.text().encode())
        if not (self.path / "index.m3u8").exists():
            self._write("own.m3u8", master({"aac": WAYS["aac"]}).encode())  # for players that mistake a choice
            self._write("index.m3u8", master(WAYS).encode())

    def _init(self, way: str, data: bytes) -> str:
        known = self._inits.get(way)
        if known is None or known[0] != data:
            self._inits[way] = known = data, self._write(f"{secrets.token_urlsafe(16)}.mp4", data)
        return known[1]

    def _write(self, name: str, data: bytes) -> str:
        return write(self.path, name, data)

    def _delete(self, way: str) -> None:
        gone = self._gone[way]
        while len(gone) > KEPT:
            segment = gone.popleft()
            (self.path / segment.name).unlink(missing_ok=True)
            if all(segment.init != other.init for other in [*gone, *self._playlists[way].segments]):
                (self.path / segment.init).unlink(missing_ok=True)

    def _found(self, way: str) -> Playlist | None:
        """The playlist that is there, whoever wrote it; None where it is none."""
        try:
            return parse((self.path / f"{way}.m3u8").read_text())
        except (OSError, ValueError):
            return None

    def _taken_over(self) -> dict[str, Playlist] | None:
        """The playlists that another node left; None where there are none, or where they have come to their end."""
        found = {way: playlist for way in WAYS if (playlist := self._found(way)) is not None}
        whole = len(found) == len(WAYS) and len({playlist.next for playlist in found.values()}) == 1
        return found if whole and not any(playlist.ended for playlist in found.values()) else None

    def _clear(self) -> None:
        """Delete what no playlist names: the segments that the one before us would have deleted. What is not whole may
        be what another one writes at this moment."""
        named = _names(one for playlist in self._playlists.values() for one in playlist.segments)
        for file in self.path.iterdir() if self.path.is_dir() else ():
            if file.suffix not in (".m3u8", PART) and file.name not in named:
                file.unlink(missing_ok=True)


def _names(segments: Iterable[Segment]) -> set[str]:
    return {name for one in segments for name in (one.name, one.init)}


def opened(root: Path, folder: str) -> Path:
    """The folder of this name, made where there is none, as whoever serves it may read it."""
    path = root / folder
    path.mkdir(mode=0o750, parents=True, exist_ok=True)
    return path


def write(folder: Path, name: str, data: bytes) -> str:
    """Write a file that nobody sees before it is whole, and return its name.

    Until then it has a name of its own: a node that is cut off from Redis may write beside the next one for a while."""
    part = folder / f".{secrets.token_urlsafe(9)}{PART}"
    try:
        part.write_bytes(data)
        part.chmod(0o640)
        part.rename(folder / name)
    except OSError:
        part.unlink(missing_ok=True)
        raise
    return name
