"""The files of a Space: what is there, what is deleted, and how the next node continues."""

import itertools
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import pytest

from rooms.media.hls.folder import KEPT, Folder, write
from rooms.media.hls.leftovers import ABANDONED_SECONDS, sweep
from rooms.media.hls.messages import Ended, Piece
from rooms.media.hls.playlist import WINDOW, Playlist, parse
from rooms.media.hls.segments import SEGMENT
from rooms.media.hls.signature import folder as folder_of
from rooms.media.hls.writer import LINGER_SECONDS, Writer
from rooms.media.sound.opus import SILENT_PACKET
from rooms.media.units import FRAME, SAMPLE_RATE

ZERO = 1_790_000_000.0
PIECE = 10 * FRAME


class WriterRig:
    """A writer whose clock the test drives, and one silent Space."""

    def __init__(self, root: Path) -> None:
        self.root, self.now, self.position = root, ZERO, 4 * SEGMENT
        self.writer = Writer(root, lambda: self.now)

    def say(self, seconds: float, folder: str = "tea", **levels: int) -> None:
        for _ in range(round(seconds * SAMPLE_RATE / PIECE)):
            self.writer.take(Piece(folder, ZERO, self.position, [SILENT_PACKET] * 10, b"", levels))
            self.position += PIECE

    def fails(self, seconds: float) -> int:
        """Write sound as a process that goes on after errors. Returns how many there were."""
        before, errors = self.position, 0
        while self.position < before + seconds * SAMPLE_RATE:
            try:
                self.say(PIECE / SAMPLE_RATE)
            except (OSError, av.FFmpegError):
                self.position += PIECE
                errors += 1
        return errors

    def restart(self) -> Writer:
        """Use another writer from now on. Returns the one before."""
        before, self.writer = self.writer, Writer(self.root, lambda: self.now)
        return before

    def playlist(self, way: str = "aac", folder: str = "tea") -> Playlist:
        return parse((self.root / folder / f"{way}.m3u8").read_text())

    def files(self, kind: str, folder: str = "tea") -> set[str]:
        return {file.name for file in (self.root / folder).glob(f"*.{kind}")}


@pytest.fixture
def rig(tmp_path: Path) -> WriterRig:
    return WriterRig(tmp_path)


@pytest.mark.parametrize("way", ["aac", "opus"])
def test_a_space_has_a_folder_with_playlists(rig: WriterRig, way: str) -> None:
    rig.say(4.2)
    playlist = rig.playlist(way)
    assert playlist.sequence == 4, "numbers follow from room time, so that a node that knows nothing goes on, too"
    assert len(playlist.segments) == 2
    assert playlist.segments[1].at == pytest.approx(ZERO + 10, abs=0.03)
    assert f"{way}.m3u8" in (rig.root / "tea" / "index.m3u8").read_text()
    assert (rig.root / "tea" / "own.m3u8").read_text().count("m3u8") == 1


def test_names_cannot_be_guessed_and_are_of_whole_files(rig: WriterRig) -> None:
    rig.say(4.2)
    names = [one.name for way in ("aac", "opus") for one in rig.playlist(way).segments]
    assert len(set(names)) == 4
    assert all(len(name.removesuffix(".m4s")) >= 22 for name in names)
    assert not list((rig.root / "tea").glob(".*")), "nothing half written is left"
    for name in names:
        assert (rig.root / "tea" / name).stat().st_mode & 0o007 == 0, "for the group of the web server alone"


def test_each_segment_has_the_levels_of_its_voices(rig: WriterRig) -> None:
    rig.say(1.0)
    rig.say(1.0, hana=40)
    rig.say(2.2, hana=40, sol=8)
    for way in ("aac", "opus"):
        one, two = [segment.levels for segment in rig.playlist(way).segments]
        assert one == "hana=00000000004040404040"
        assert two == "hana=40404040404040404040,sol=08080808080808080808"


def test_what_is_missing_is_filled_with_silence_in_the_levels_too(rig: WriterRig) -> None:
    rig.say(0.4, hana=40)
    rig.position += 2 * PIECE
    rig.say(1.4, hana=40)
    assert rig.playlist().segments[0].levels == "hana=40400000404040404040"


def test_what_leaves_the_window_is_deleted_a_little_later(rig: WriterRig) -> None:
    rig.say(2 * (WINDOW + KEPT) + 0.2)
    first = rig.playlist().segments[0]
    assert len(rig.files("m4s")) == 2 * (WINDOW + KEPT)
    rig.say(2 * (KEPT + 2))
    assert len(rig.files("m4s")) == 2 * (WINDOW + KEPT)
    assert first.name not in rig.files("m4s")
    assert len(rig.files("mp4")) == 2


def test_another_node_goes_on_after_a_break(rig: WriterRig) -> None:
    rig.say(6.2)
    before = rig.playlist()
    rig.writer = Writer(rig.root, lambda: rig.now)  # the one before was killed
    rig.position += 3 * SAMPLE_RATE
    rig.say(4.2)
    after = rig.playlist()
    assert after.segments[: len(before.segments)] == before.segments
    assert after.segments[len(before.segments)].breaks
    assert after.next == before.next + len(after.segments) - len(before.segments)
    named = {one.name for way in ("aac", "opus") for one in rig.playlist(way).segments}
    assert named == rig.files("m4s")


def test_an_unreadable_playlist_restarts_with_higher_numbers(rig: WriterRig) -> None:
    rig.say(6.2)
    before = rig.playlist()
    (rig.root / "tea" / "aac.m3u8").write_text("half a play")
    rig.writer = Writer(rig.root, lambda: rig.now)
    rig.say(4.2)
    assert rig.playlist().sequence >= before.next - 1
    assert {one.name for way in ("aac", "opus") for one in rig.playlist(way).segments} == rig.files("m4s")


def test_a_little_that_is_missing_is_silence(rig: WriterRig) -> None:
    rig.say(1.0)
    rig.position += SAMPLE_RATE // 2
    rig.say(3.0)
    assert not any(one.breaks for one in rig.playlist().segments)
    assert rig.playlist().segments[-1].at == pytest.approx(ZERO + 10, abs=0.03)


def test_much_that_is_missing_is_a_break(rig: WriterRig) -> None:
    rig.say(3.0)
    rig.position += 60 * SAMPLE_RATE
    rig.say(3.0)
    assert [one.breaks for one in rig.playlist().segments].count(True) == 1
    assert rig.playlist().segments[-1].at > ZERO + 60


def test_what_comes_twice_is_written_once(rig: WriterRig) -> None:
    rig.say(1.0)
    rig.position -= SAMPLE_RATE // 2
    rig.say(2.0)
    assert sum(one.seconds for one in rig.playlist("opus").segments) == pytest.approx(2.0)


def test_the_end_is_said_and_then_the_folder_goes(rig: WriterRig) -> None:
    rig.say(3.0)
    rig.writer.take(Ended("tea", "over"))
    playlist = rig.playlist()
    assert playlist.ended
    assert sum(one.seconds for one in playlist.segments) == pytest.approx(3.0, abs=0.06), "nothing is cut off"
    rig.now += LINGER_SECONDS - 1
    rig.writer.look_after()
    assert rig.files("m4s")
    rig.now += 2
    rig.writer.look_after()
    assert not (rig.root / "tea").exists()


def test_a_space_without_hls_listeners_leaves_nothing(rig: WriterRig) -> None:
    rig.say(3.0)
    rig.writer.take(Ended("tea", "unheard"))
    assert not (rig.root / "tea").exists()


def test_a_space_that_has_moved_is_left_to_the_other_node(rig: WriterRig) -> None:
    rig.say(3.0)
    rig.writer.take(Ended("tea", "moved"))
    assert rig.files("m4s")
    assert not rig.playlist().ended


# Leftovers
DEAD, ELSE = folder_of("s3cret", "dead"), folder_of("s3cret", "else")


def old(path: Path) -> None:
    os.utime(path, (0, 0))


def test_what_a_dead_node_left_goes_and_what_lives_stays(rig: WriterRig) -> None:
    rig.say(3.0, DEAD)
    for name in (".part", ".AxQ3-_x9Lk2b.part"):  # as earlier versions called it, and as it is called
        (rig.root / DEAD / name).touch()
    rig.say(3.0, folder_of("s3cret", "tea"))
    old(rig.root / DEAD)
    sweep(rig.root, (rig.root / folder_of("s3cret", "tea")).stat().st_mtime + ABANDONED_SECONDS - 1)
    assert [found.name for found in rig.root.iterdir()] == [folder_of("s3cret", "tea")]


def test_foreign_files_in_the_folder_stay(tmp_path: Path) -> None:
    """HLS_DIR may be a folder with other things in it."""
    for name in ("recordings", DEAD, ELSE, DEAD[:-1] + "="):
        (tmp_path / name).mkdir()
    (tmp_path / DEAD / "thesis.odt").touch()
    (tmp_path / ELSE / "thesis.part").touch()
    (tmp_path / "recordings" / "talk.m4s").touch()
    (tmp_path / folder_of("s3cret", "link")).symlink_to(tmp_path / "recordings")
    for path in tmp_path.iterdir():
        old(path)
    before = sorted(tmp_path.rglob("*"))
    sweep(tmp_path, 1e10)
    assert sorted(tmp_path.rglob("*")) == before


# Folders that vanish, disks that are full
def names(playlist: Playlist) -> set[str]:
    return {name for one in playlist.segments for name in (one.name, one.init)}


def test_a_deleted_folder_is_made_again(rig: WriterRig) -> None:
    rig.say(5.0)
    before = rig.playlist()
    shutil.rmtree(rig.root / "tea")
    assert rig.fails(6.0) == 0
    after = rig.playlist()
    assert after.sequence == before.next, "players look for the number that follows"
    assert after.segments
    assert names(after) | names(rig.playlist("opus")) == rig.files("m4s") | rig.files("mp4"), "and find it all"
    assert rig.files("m3u8") == {"aac.m3u8", "opus.m3u8", "own.m3u8", "index.m3u8"}


def test_a_node_that_is_cut_off_does_not_delete_files_of_the_next_one(rig: WriterRig) -> None:
    """A node without Redis does not learn that a Space has moved, and ends it as one without listeners."""
    rig.say(5.0)
    cut_off = rig.restart()
    rig.say(4.4)
    cut_off.take(Ended("tea", "unheard"))
    assert names(rig.playlist()) <= rig.files("m4s") | rig.files("mp4")
    rig.say(4.0)
    assert len(rig.playlist().segments) > 3


def test_what_it_wrote_beside_the_other_one_goes(rig: WriterRig) -> None:
    rig.say(5.0)
    cut_off = rig.restart()
    rig.say(4.4)
    rig.writer, other = cut_off, rig.writer
    rig.say(2.2)
    rig.writer = other
    rig.say(2.2)
    cut_off.take(Ended("tea", "unheard"))
    named = names(rig.playlist()) | names(rig.playlist("opus"))
    assert named == rig.files("m4s") | rig.files("mp4")


def test_a_file_that_another_node_writes_at_the_same_moment_stays_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.rename

    def late(part: Path, name: Path) -> Path:
        monkeypatch.setattr(Path, "rename", rename)
        write(tmp_path, "aac.m3u8", b"#EXTM3U")
        return part.rename(name)

    monkeypatch.setattr(Path, "rename", late)
    write(tmp_path, "name.m4s", b"sound")
    written = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert written == {"aac.m3u8": b"#EXTM3U", "name.m4s": b"sound"}


def test_two_that_write_at_the_same_moment_write_whole_files(rig: WriterRig) -> None:
    """One that is cut off from Redis, and the next one, come to the ends of segments together."""
    with ThreadPoolExecutor() as threads:
        writing = [threads.submit(one.fails, 40.0) for one in (rig, WriterRig(rig.root))]
    assert [one.result() for one in writing] == [0, 0]
    for file in (rig.root / "tea").iterdir():
        assert (file.suffix == ".m3u8") == file.read_bytes().startswith(b"#EXTM3U"), file.name


@pytest.mark.parametrize("does", ["write_bytes", "chmod", "rename"])
def test_what_could_not_be_written_takes_no_room(tmp_path: Path, does: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, *arguments: object) -> None:
        path.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, does, full)
    with pytest.raises(OSError, match="No space"):
        write(tmp_path, "name.m4s", b"sound")
    assert not list(tmp_path.iterdir())


def test_the_next_node_spares_files_that_are_being_written(rig: WriterRig) -> None:
    rig.say(5.0)
    rig.restart()
    part = rig.root / "tea" / ".AxQ3-_x9Lk2b.part"
    part.touch()
    rig.say(4.4)
    assert part.exists()
    rig.writer.take(Ended("tea", "unheard"))
    assert not (rig.root / "tea").exists()


def test_after_an_error_the_next_segments_are_written_again(rig: WriterRig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.say(5.0)
    with monkeypatch.context() as patched:
        patched.setattr(Folder, "_write", _full)
        rig.position += 600 * SAMPLE_RATE
        assert rig.fails(3.0) > 0
    number = rig.playlist().next
    assert rig.fails(6.0) == 0
    assert rig.playlist().next >= number + 2
    assert names(rig.playlist()) | names(rig.playlist("opus")) == rig.files("m4s") | rig.files("mp4")


def _full(folder: Folder, name: str, data: bytes) -> str:
    raise OSError(28, "No space left on device")


def test_half_a_segment_does_not_stay(rig: WriterRig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.say(5.0)
    write, numbers = Folder._write, itertools.count()

    def every_other(folder: Folder, name: str, data: bytes) -> str:
        return _full(folder, name, data) if next(numbers) % 2 else write(folder, name, data)

    with monkeypatch.context() as patched:
        patched.setattr(Folder, "_write", every_other)
        assert rig.fails(3.0) > 0
    rig.say(4.4)
    assert names(rig.playlist()) | names(rig.playlist("opus")) == rig.files("m4s") | rig.files("mp4")


def test_an_end_that_cannot_be_written_takes_the_folder_all_the_same(
    rig: WriterRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.say(5.0)
    with monkeypatch.context() as patched:
        patched.setattr(Folder, "_write", _full)
        with pytest.raises(OSError, match="No space"):
            rig.writer.take(Ended("tea", "over"))
    rig.now += LINGER_SECONDS + 1
    rig.writer.look_after()
    assert not (rig.root / "tea").exists()


# From one node to another
@pytest.mark.parametrize("first", ["the old node's end", "the new node's beginning"])
def test_what_was_heard_before_a_move_is_written(rig: WriterRig, first: str) -> None:
    rig.say(7.0)
    before = rig.restart()
    if first == "the old node's end":
        before.take(Ended("tea", "moved"))
        rig.say(0.8)
    else:
        rig.say(0.8)
        before.take(Ended("tea", "moved"))
    rig.say(6.0)
    for way in ("aac", "opus"):
        segments = rig.playlist(way).segments
        gaps = [other.at - one.at - one.seconds for one, other in itertools.pairwise(segments)]
        print(f"{way}: {max(gaps) * 1000:.0f} ms missing at most")
        assert max(map(abs, gaps)) < 0.03
        assert sum(one.breaks for one in segments) == 1
    assert not rig.playlist().ended


def test_levels_go_with_a_space_to_the_next_node(rig: WriterRig) -> None:
    rig.say(7.0, hana=40)
    before = rig.restart()
    before.take(Ended("tea", "moved"))
    rig.say(4.0, hana=50)
    digits = [one.levels.removeprefix("hana=") for one in rig.playlist().segments]
    assert [len(one) for one in digits[:5]] == [20, 20, 20, 10, 10]
    assert set(digits[3]) | set(digits[4]) == {"4", "5", "0"}
    assert digits[4] == "5050505050"


def test_a_node_that_ends_late_does_not_overwrite_the_next_one(rig: WriterRig) -> None:
    rig.say(7.0)
    before = rig.restart()
    rig.say(3.0)
    playlist = rig.playlist()
    before.take(Ended("tea", "moved"))
    assert rig.playlist() == playlist
