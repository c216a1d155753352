"""Playlists as RFC 8216 has them, and as the next node reads them."""

from typing import Any

import pytest

from rooms.media.hls.playlist import WINDOW, Playlist, Segment, master, parse


def playlist(segments: int, **more: Any) -> Playlist:
    made = Playlist(40, **more)
    for number in range(segments):
        made.add(Segment(f"{number}.m4s", "init.mp4", 2.00533, 1_790_000_000.25 + 2 * number))
    return made


def test_a_playlist_says_what_a_player_needs() -> None:
    assert playlist(1).text().splitlines() == [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        "#EXT-X-TARGETDURATION:2",
        "#EXT-X-MEDIA-SEQUENCE:40",
        "#EXT-X-DISCONTINUITY-SEQUENCE:0",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        '#EXT-X-MAP:URI="init.mp4"',
        "#EXT-X-PROGRAM-DATE-TIME:2026-09-21T14:13:20.250Z",
        "#EXTINF:2.00533,",
        "0.m4s",
    ]


def test_it_names_the_latest_segments_and_counts_the_others() -> None:
    made = playlist(WINDOW)
    assert made.sequence == 40
    gone = made.add(Segment("new.m4s", "init.mp4", 2.0, 0.0))
    assert [one.name for one in gone] == ["0.m4s"]
    assert (made.sequence, made.next, len(made.segments)) == (41, 41 + WINDOW, WINDOW)


def test_breaks_are_tagged_and_counted_when_they_leave() -> None:
    made = playlist(1)
    made.add(Segment("other.m4s", "other.mp4", 2.0, 0.0, breaks=True))
    lines = made.text().splitlines()
    at = lines.index("#EXT-X-DISCONTINUITY")
    assert lines[at + 1] == '#EXT-X-MAP:URI="other.mp4"'
    for number in range(WINDOW):
        made.add(Segment(f"later-{number}.m4s", "other.mp4", 2.0, 0.0))
    assert "#EXT-X-DISCONTINUITY-SEQUENCE:1" in made.text()
    assert "#EXT-X-DISCONTINUITY\n" not in made.text()


def test_levels_stand_before_their_segment() -> None:
    made = playlist(1)
    made.add(Segment("loud.m4s", "init.mp4", 2.0, 0.0, levels="hana=0063"))
    made.add(Segment("quiet.m4s", "init.mp4", 2.0, 0.0))
    assert made.text().count("LEVELS") == 1
    assert "#EXT-X-SPACES-LEVELS:hana=0063\n#EXT-X-PROGRAM-DATE-TIME" in made.text()
    assert parse(made.text()) == made


def test_the_end_is_said() -> None:
    made = playlist(1)
    made.ended = True
    assert made.text().endswith("#EXT-X-ENDLIST\n")


def test_what_was_written_is_read_again() -> None:
    made = playlist(3, breaks=2)
    made.add(Segment("other.m4s", "other.mp4", 1.5, 1_790_000_100.5, breaks=True))
    assert parse(made.text()) == made


@pytest.mark.parametrize("text", ["", "<html>", "#EXTM3U\n#EXTINF:two,", "#EXTM3U\n#EXT-X-PROGRAM-DATE-TIME:yesterday"])
def test_what_is_no_playlist_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse(text)


def test_the_playlist_of_playlists_names_the_codecs() -> None:
    text = master({"aac": ("mp4a.40.2", 80_000), "opus": ("opus", 48_000)})
    assert '#EXT-X-STREAM-INF:BANDWIDTH=80000,CODECS="mp4a.40.2"\naac.m3u8\n' in text
    assert '#EXT-X-STREAM-INF:BANDWIDTH=48000,CODECS="opus"\nopus.m3u8\n' in text
