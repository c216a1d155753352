"""From the tick of a node to the files, and what happens to the writer's process."""

import os
import select
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from rooms.media.client.tones import tone_packets
from rooms.media.engine import FILES_SECONDS
from rooms.media.hls.__main__ import TRIAL_SECONDS, Trial
from rooms.media.hls.feed import PIECE, Feed, Process
from rooms.media.hls.messages import FAILS, MAX_WORD, WRITES, Ended, Piece, encode
from rooms.media.hls.messages import parse as parse_message
from rooms.media.hls.playlist import parse
from rooms.media.hls.signature import folder
from rooms.media.sound.opus import DTX_PACKET, SILENT_PACKET
from rooms.media.units import FRAME, SAMPLE_RATE
from spaces_project.machine.processes import with_patience
from tests.rig.media.web import SPACE, Running
from tests.rooms.media.conftest import World, until

PATIENCE = 30.0
LOUD = np.full(FRAME, 1000, np.int16)


class Taken(list[Piece | Ended]):
    @property
    def pieces(self) -> list[Piece]:
        return [one for one in self if isinstance(one, Piece)]


def test_ten_frames_are_one_message() -> None:
    taken = Taken()
    feed = Feed("tea", 0.0, taken.append)
    for at in range(30):
        feed.write(LOUD if at == 15 else None, b"packet" if at == 15 else None, at * FRAME)
    whole = [piece for piece in taken.pieces if len(piece.packets) == 10]
    assert len(whole) == 2
    assert all((piece.position + len(piece.packets) * FRAME) % PIECE == 3 * FRAME for piece in taken.pieces)
    (loud,) = [piece for piece in taken.pieces if piece.pcm]
    place = 15 - loud.position // FRAME
    assert loud.packets[place] == b"packet"
    assert np.frombuffer(loud.pcm, np.int16).reshape(-1, FRAME)[place].tolist() == LOUD.tolist()
    assert {packet for piece in taken.pieces for packet in piece.packets} == {b"packet", SILENT_PACKET}


def test_a_dtx_packet_is_silence_here() -> None:
    taken = Taken()
    feed = Feed("tea", 0.0, taken.append)
    feed.write(None, DTX_PACKET, 0)
    feed.flush()
    assert taken.pieces[0].packets == [SILENT_PACKET]


def test_ticks_that_were_left_out_begin_a_new_piece() -> None:
    taken = Taken()
    feed = Feed("tea", 0.0, taken.append)
    for position in (0, FRAME, 5 * FRAME):
        feed.write(None, None, position)
    feed.flush()
    assert [(piece.position, len(piece.packets)) for piece in taken.pieces] == [(0, 2), (5 * FRAME, 1)]


def test_a_piece_has_the_levels_that_were_measured_last() -> None:
    taken = Taken()
    feed = Feed("tea", 0.0, taken.append)
    for at, level in enumerate((0, 40)):
        feed.levels = {"hana": level}
        feed.write(LOUD, b"packet", at * FRAME)
        feed.flush()
    assert [piece.levels for piece in taken.pieces] == [{"hana": 0}, {"hana": 40}]
    assert [parse_message(encode(piece)) for piece in taken.pieces] == taken.pieces


def test_what_is_no_message_is_refused() -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_message(b"nonsense")
    assert parse_message(encode(Ended("tea", "over"))) == Ended("tea", "over")


# The process
@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    one = Process(tmp_path)
    one.start()
    yield one
    one.stop()


def say(process: Process, seconds: int, since: int = 0) -> None:
    for position in range(since * SAMPLE_RATE, (since + seconds) * SAMPLE_RATE, PIECE):
        process.send(Piece("tea", 0.0, position, [SILENT_PACKET] * 10, b""))


def playlist_has(root: Path, segments: int) -> bool:
    path = root / "tea" / "aac.m3u8"
    return path.exists() and len(parse(path.read_text()).segments) >= segments


def test_the_process_writes_what_it_is_sent(process: Process, tmp_path: Path) -> None:
    say(process, 5)
    assert with_patience(lambda: playlist_has(tmp_path, 2), PATIENCE)
    assert process.dropped == 0


def test_it_ends_with_its_node(process: Process, tmp_path: Path) -> None:
    say(process, 5)
    assert with_patience(lambda: playlist_has(tmp_path, 2), PATIENCE)
    process.stop()
    assert not process.running
    assert playlist_has(tmp_path, 2), "what is there is left for the next node"


def test_it_writes_the_rest_if_its_node_ended_without_reading(process: Process, tmp_path: Path) -> None:
    assert process._socket is not None
    assert select.select([process._socket], [], [], PATIENCE)[0], "it says that it can write"
    say(process, 5)
    process.send(Ended("tea", "moved"))
    process._close()
    assert with_patience(lambda: not process.running, PATIENCE)
    assert playlist_has(tmp_path, 3)


def test_a_killed_one_is_replaced_and_goes_on_after_a_break(process: Process, tmp_path: Path) -> None:
    say(process, 5)
    assert with_patience(lambda: playlist_has(tmp_path, 2), PATIENCE)
    os.kill(process.pid, signal.SIGKILL)
    assert with_patience(lambda: not process.running, PATIENCE)
    process.send(Piece("tea", 0.0, 5 * SAMPLE_RATE, [SILENT_PACKET] * 10, b""))
    assert process.dropped == 1
    process.start()
    say(process, 5, since=6)
    assert with_patience(lambda: playlist_has(tmp_path, 4), PATIENCE)
    assert "#EXT-X-DISCONTINUITY\n" in (tmp_path / "tea" / "aac.m3u8").read_text()


def test_one_that_does_not_read_costs_pieces_and_no_time(process: Process, tmp_path: Path) -> None:
    say(process, 5)
    assert with_patience(lambda: playlist_has(tmp_path, 2), PATIENCE)
    os.kill(process.pid, signal.SIGSTOP)
    for position in range(5 * SAMPLE_RATE, 500 * SAMPLE_RATE, PIECE):
        process.send(Piece("tea", 0.0, position, [SILENT_PACKET] * 10, bytes(2 * PIECE)))
    assert process.dropped > 0
    os.kill(process.pid, signal.SIGCONT)


def test_an_end_that_finds_no_room_is_sent_later(process: Process, tmp_path: Path) -> None:
    say(process, 5)
    assert with_patience(lambda: playlist_has(tmp_path, 2), PATIENCE)
    os.kill(process.pid, signal.SIGSTOP)
    while not process.dropped:
        process.send(Piece("tea", 0.0, 5 * SAMPLE_RATE, [SILENT_PACKET] * 10, bytes(2 * PIECE)))
    process.send(Ended("tea", "unheard"))
    os.kill(process.pid, signal.SIGCONT)

    def is_gone() -> bool:
        process.keep_running()
        return not (tmp_path / "tea").exists()

    assert with_patience(is_gone, PATIENCE)
    assert process.dropped == 1


def test_a_system_without_processes_is_asked_again(
    process: Process, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    process.stop()
    with monkeypatch.context() as patched:
        patched.setattr(subprocess, "Popen", _no_process)
        for _ in range(3):
            process.keep_running()
    assert not process.running
    assert not process.writes
    assert caplog.text.count("does not start") == 1, "the log says it once"
    process.keep_running()
    assert process.running


def _no_process(*_: object, **__: object) -> None:
    raise BlockingIOError(11, "Resource temporarily unavailable")


def test_it_says_whether_it_can_write(tmp_path: Path) -> None:
    (tmp_path / "hls").touch()
    process = Process(tmp_path / "hls")
    process.start()
    try:
        assert not with_patience(lambda: process.writes, 3.0)
        assert process.running
        (tmp_path / "hls").unlink()
        assert with_patience(lambda: process.writes, PATIENCE)
        assert list((tmp_path / "hls").iterdir()) == [], "nothing is left of the trial"
        process.stop()
        assert not process.writes
    finally:
        process.stop()


def test_a_folder_that_cannot_be_written_is_reported_and_logged_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    node, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    node.setblocking(False)
    with node, its, caplog.at_level("INFO"):
        trial = Trial(its, tmp_path)
        trial.look(0.0)
        assert node.recv(MAX_WORD) == WRITES
        for _ in range(3):
            trial.fails(OSError("No space left on device"))
        assert node.recv(MAX_WORD) == FAILS
        trial.look(TRIAL_SECONDS + 1)
        trial.look(2 * TRIAL_SECONDS + 2)
        assert node.recv(MAX_WORD) == WRITES
        with pytest.raises(BlockingIOError):
            node.recv(MAX_WORD)
    assert [record.levelname for record in caplog.records] == ["ERROR", "INFO"]


async def test_a_node_goes_on_if_its_writer_does_not_start(
    running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rooms.media.node.WRITER_SECONDS", 0.01)
    asked: list[Process] = []

    def start(process: Process) -> None:
        asked.append(process)
        _no_process()

    with monkeypatch.context() as patched:
        patched.setattr(Process, "start", start)
        async with running(hls=tmp_path / "hls") as (node, _):
            await until(lambda: len(asked) > 3)
            assert not node.stop_requested.is_set()
            assert node.beat().hls is False
            patched.undo()
            await until(lambda: node.beat().hls, PATIENCE)


# The engine
@pytest.fixture
def hearing(world: World) -> World:
    """A node with a Space in which hana has an open microphone. Keeps the messages for the writer."""
    world.stand("hana")
    return world


def pieces(world: World) -> list[Piece]:
    return [one for one in world.written if isinstance(one, Piece)]


def ends(world: World) -> list[str]:
    return [one.how for one in world.written if isinstance(one, Ended)]


async def test_files_are_written_from_the_moment_they_are_wanted(hearing: World) -> None:
    hearing.run(1.0)
    assert not hearing.written
    hearing.engine.write_files(SPACE, "")
    hearing.run(1.0)
    assert sum(len(piece.packets) for piece in pieces(hearing)) >= 40, "silence is written, too"
    assert {piece.folder for piece in pieces(hearing)} == {folder("", SPACE)}
    assert pieces(hearing)[0].position == pytest.approx(SAMPLE_RATE, abs=PIECE), "room time, as the tracks have it"


async def test_a_voice_is_in_what_is_written(hearing: World) -> None:
    hana = await hearing.join("hana")
    hearing.engine.write_files(SPACE, "")
    hana.speak(tone_packets(480))
    hearing.run(2.0)
    loudest = max(abs(np.frombuffer(piece.pcm, np.int16)).max() for piece in pieces(hearing) if piece.pcm)
    assert loudest > 3000


async def test_how_loud_she_is_goes_with_her_sound(hearing: World) -> None:
    hana = await hearing.join("hana")
    hearing.engine.write_files(SPACE, "")
    hana.speak(tone_packets(480))
    hearing.run(2.0)
    reports = [piece.levels.get("hana", 0) for piece in pieces(hearing)]
    loud = [bool(piece.pcm) and bool(abs(np.frombuffer(piece.pcm, np.int16)).max() > 3000) for piece in pieces(hearing)]
    assert abs(reports.index(max(reports)) - loud.index(True)) <= 2, "within two pieces of 200 ms"
    assert max(reports) > 50
    hearing.stand("hana", muted=("hana",))
    hearing.run(0.5)
    assert pieces(hearing)[-1].levels == {}, "a muted voice has no level"


async def test_files_end_when_they_are_not_wanted_any_more(hearing: World) -> None:
    hearing.engine.write_files(SPACE, "")
    hearing.run(FILES_SECONDS - 2.0)
    assert ends(hearing) == []
    hearing.run(4.0)
    assert ends(hearing) == ["unheard"]
    number = len(hearing.written)
    hearing.run(1.0)
    assert len(hearing.written) == number


async def test_another_node_has_it(hearing: World) -> None:
    hearing.engine.write_files(SPACE, "")
    hearing.run(0.5)
    hearing.engine.write_files(SPACE, "another")
    assert ends(hearing) == ["moved"]


async def test_the_end_of_the_space_ends_its_files(hearing: World) -> None:
    hearing.engine.write_files(SPACE, "")
    hearing.run(0.5)
    hearing.stand("hana", ended=True)
    assert ends(hearing) == ["over"]


async def test_a_space_that_is_only_heard_as_files_stays(hearing: World) -> None:
    for _ in range(12):
        hearing.engine.write_files(SPACE, "")
        hearing.run(FILES_SECONDS / 2)
    assert SPACE in hearing.engine.spaces


def test_it_runs_below_the_node(process: Process) -> None:
    assert with_patience(lambda: os.getpriority(os.PRIO_PROCESS, process.pid) > 0, PATIENCE)
