"""The HLS files of one Space in `<root>/<folder>/`: segments, a playlist per encoding, and a master playlist.

Names of segments cannot be guessed. Every file is written under another name and renamed, so readers see whole files
only. A node that continues where another one stopped reads its playlists and continues their numbers.
"""

import secrets
from collections import deque
from collections.abc import Iterable, Mapping
from pathlib import Path

from rooms.media.hls.leftovers import PART, remove
from rooms.media.hls.playlist import Playlist, Segment, master, parse
from rooms.media.hls.segments import ENCODINGS, SEGMENT, Cut
from rooms.media.units import SAMPLE_RATE

KEPT = 4  # segments beyond the playlist, for players that read it a moment ago


class Folder:
    """The folder of one Space.

    `zero` is the Unix time at which its room time begins, `position` the room time of the first sample. The folder is
    made, or taken over, with the first segment. Until then the node before may still write its last one.
    """

    def __init__(self, root: Path, folder: str, zero: float, position: int) -> None:
        self.path, self._zero, self._position = root / folder, zero, position
        self._playlists: dict[str, Playlist] = {}
        self._gone = {way: deque[Segment]() for way in ENCODINGS}
        self._inits: dict[str, tuple[bytes, str]] = {}
        self._breaks = True  # the next segment does not continue the one before

    @property
    def is_ours(self) -> bool:
        """Whether no other node has written into the folder since this one did."""
        ours = self._playlists["aac"].segments if self._playlists else []
        found = self._found("aac")
        return bool(ours) and found is not None and [one.name for one in found.segments[-1:]] == [ours[-1].name]

    def begin(self) -> int:
        """Take over the playlists of the node before, or begin new ones. Returns the number of the next segment."""
        if not self._playlists:
            self._playlists = self._taken_over() or {way: Playlist(self._position // SEGMENT) for way in ENCODINGS}
            self._clear()
        return self._playlists["aac"].next

    def breaks(self) -> None:
        """Note that the next segment does not continue the one before."""
        self._breaks = True
        self._inits.clear()

    def put(self, cuts: Mapping[str, Cut], levels: str = "") -> None:
        """Add a segment in each encoding, and delete old ones. Raises OSError if the disk fails.

        `levels` are those of its voices, as `levels.py` writes them.
        """
        self.begin()
        self._mend()
        made = {way: self._segment(way, cut, levels) for way, cut in cuts.items()}
        for way, segment in made.items():
            self._gone[way].extend(self._playlists[way].add(segment))
        self._breaks = False
        self._write_playlists()
        for way in cuts:
            self._delete(way)

    def end(self) -> None:
        """End the playlists. Raises OSError if the disk fails."""
        self.begin()
        self._mend()
        for playlist in self._playlists.values():
            playlist.ended = True
        self._write_playlists()

    def remove(self) -> None:
        """Delete everything. If another node writes the folder by now, spare the files that its playlists name."""
        if self.is_ours:
            remove(self.path)
        else:
            found = [playlist for playlist in map(self._found, ENCODINGS) if playlist is not None]
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
        """Make the folder. If its files were deleted, name them no more; the numbers go on."""
        if all((self.path / f"{way}.m3u8").exists() for way in ENCODINGS):
            return
        make_folder(self.path.parent, self.path.name)
        for way, playlist in self._playlists.items():
            playlist.forget()
            self._gone[way].clear()
        self._inits.clear()
        self._clear()

    def _write_playlists(self) -> None:
        for way, playlist in self._playlists.items():
            self._write(f"{way}.m3u8", playlist.text().encode())
        if not (self.path / "index.m3u8").exists():
            self._write("own.m3u8", master({"aac": ENCODINGS["aac"]}).encode())  # for players that choose wrongly
            self._write("index.m3u8", master(ENCODINGS).encode())

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
        """The playlist in the folder, whichever node wrote it. None without a valid one."""
        try:
            return parse((self.path / f"{way}.m3u8").read_text())
        except (OSError, ValueError):
            return None

    def _taken_over(self) -> dict[str, Playlist] | None:
        """The playlists that another node left. None if there are none, or if they have ended."""
        found = {way: playlist for way in ENCODINGS if (playlist := self._found(way)) is not None}
        whole = len(found) == len(ENCODINGS) and len({playlist.next for playlist in found.values()}) == 1
        return found if whole and not any(playlist.ended for playlist in found.values()) else None

    def _clear(self) -> None:
        """Delete files that no playlist names: the node before would have deleted them. Spare files that are not whole.

        Another node may be writing them at this moment.
        """
        named = _names(one for playlist in self._playlists.values() for one in playlist.segments)
        for file in self.path.iterdir() if self.path.is_dir() else ():
            if file.suffix not in (".m3u8", PART) and file.name not in named:
                file.unlink(missing_ok=True)


def _names(segments: Iterable[Segment]) -> set[str]:
    return {name for one in segments for name in (one.name, one.init)}


def make_folder(root: Path, folder: str) -> Path:
    """Make the folder of this name if it is missing, so that the group of its owner may read it. Returns its path."""
    path = root / folder
    path.mkdir(mode=0o750, parents=True, exist_ok=True)
    return path


def write(folder: Path, name: str, data: bytes) -> str:
    """Write a file that readers see only once it is whole. Returns its name.

    Until then it has a random name: a node that is cut off from Redis may write beside the next one for a while.
    """
    part = folder / f".{secrets.token_urlsafe(9)}{PART}"
    try:
        part.write_bytes(data)
        part.chmod(0o640)
        part.rename(folder / name)
    except OSError:
        part.unlink(missing_ok=True)
        raise
    return name
