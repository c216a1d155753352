"""Playlists (RFC 8216): one per encoding, and the master playlist that names them."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

TARGET_SECONDS = 2  # length of a segment
WINDOW = 6  # segments in a playlist


@dataclass(frozen=True)
class Segment:
    """One segment in a playlist.

    `at` is the Unix time of its first sample. `breaks`: it does not continue the one before. `levels` are those of its
    voices, as `levels.py` writes them.
    """

    name: str
    init: str
    seconds: float
    at: float
    breaks: bool = False
    levels: str = ""


@dataclass
class Playlist:
    """The latest segments. `sequence` is the number of the first, `breaks` counts the breaks before it."""

    sequence: int
    breaks: int = 0
    segments: list[Segment] = field(default_factory=list)
    ended: bool = False

    @property
    def next(self) -> int:
        """The number of the next segment."""
        return self.sequence + len(self.segments)

    def add(self, segment: Segment) -> list[Segment]:
        """Add a segment. Returns the segments that drop out."""
        self.segments.append(segment)
        gone, self.segments = self.segments[:-WINDOW], self.segments[-WINDOW:]
        self.sequence += len(gone)
        self.breaks += sum(one.breaks for one in gone)
        return gone

    def forget(self) -> None:
        """Drop all segments. The numbers go on."""
        self.sequence, self.breaks = self.next, self.breaks + sum(one.breaks for one in self.segments)
        self.segments = []

    def text(self) -> str:
        """The file (RFC 8216 section 4.3)."""
        lines = [
            "#EXTM3U",
            "#EXT-X-VERSION:7",
            f"#EXT-X-TARGETDURATION:{TARGET_SECONDS}",
            f"#EXT-X-MEDIA-SEQUENCE:{self.sequence}",
            f"#EXT-X-DISCONTINUITY-SEQUENCE:{self.breaks}",
            "#EXT-X-INDEPENDENT-SEGMENTS",
        ]
        init = ""
        for segment in self.segments:
            lines += ["#EXT-X-DISCONTINUITY"] if segment.breaks else []
            lines += [f'#EXT-X-MAP:URI="{segment.init}"'] if segment.init != init else []
            lines += [f"#EXT-X-SPACES-LEVELS:{segment.levels}"] if segment.levels else []
            lines += [f"#EXT-X-PROGRAM-DATE-TIME:{_date(segment.at)}", f"#EXTINF:{segment.seconds:.5f},", segment.name]
            init = segment.init
        return "\n".join([*lines, *(["#EXT-X-ENDLIST"] if self.ended else []), ""])


def parse(text: str) -> Playlist:
    """Read a playlist that `Playlist.text` wrote. Raises ValueError if it is anything else."""
    lines = text.splitlines()
    if lines[:1] != ["#EXTM3U"]:
        raise ValueError("no playlist")
    playlist, coming = Playlist(0), Segment("", "", 0.0, 0.0)
    for line in lines[1:]:
        tag, _, value = line.partition(":")
        if not line.startswith("#"):
            playlist.segments.append(replace(coming, name=line))
            coming = replace(coming, breaks=False, levels="")
        elif tag in _TAGS:
            coming = _TAGS[tag](coming, value)
        elif tag == "#EXT-X-MEDIA-SEQUENCE":
            playlist.sequence = int(value)
        elif tag == "#EXT-X-DISCONTINUITY-SEQUENCE":
            playlist.breaks = int(value)
        elif tag == "#EXT-X-ENDLIST":
            playlist.ended = True
    return playlist


_TAGS = {
    "#EXT-X-DISCONTINUITY": lambda coming, value: replace(coming, breaks=True),
    "#EXT-X-MAP": lambda coming, value: replace(coming, init=value.split('"')[1]),
    "#EXT-X-SPACES-LEVELS": lambda coming, value: replace(coming, levels=value),
    "#EXT-X-PROGRAM-DATE-TIME": lambda coming, value: replace(coming, at=datetime.fromisoformat(value).timestamp()),
    "#EXTINF": lambda coming, value: replace(coming, seconds=float(value.rstrip(","))),
}


def _date(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def master(encodings: dict[str, tuple[str, int]]) -> str:
    """The master playlist. `encodings`: name -> codec (RFC 6381) and bit/s at most."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
    for name, (codec, bitrate) in encodings.items():
        lines += [f'#EXT-X-STREAM-INF:BANDWIDTH={bitrate},CODECS="{codec}"', f"{name}.m3u8"]
    return "\n".join([*lines, ""])
