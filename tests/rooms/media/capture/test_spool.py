"""Chunks reach the storage, even if it or the disk fails for a while, or the node is killed."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rooms.media.capture import spool as spool_module
from rooms.media.capture.spool import Spool
from rooms.media.capture.tap import Chunk, Tap
from rooms.media.client.tones import tone_packets
from rooms.media.units import FRAME


class Storage:
    """Remembers what was shipped. Fails as often as configured."""

    def __init__(self, failures: int = 0) -> None:
        self.chunks: list[Chunk] = []
        self.failures = failures
        self._came = threading.Condition()

    def ship(self, chunk: Chunk) -> None:
        with self._came:
            if self.failures:
                self.failures -= 1
                self._came.notify_all()
                raise ConnectionError("the storage is away")
            self.chunks.append(chunk)
            self._came.notify_all()

    def wait_for(self, count: int) -> list[Chunk]:
        with self._came:
            assert self._came.wait_for(lambda: len(self.chunks) >= count, timeout=10)
        return self.chunks


def chunk(start_ms: int = 0) -> Chunk:
    closed: list[Chunk] = []
    tap = Tap("space", "turn", "hana", closed.append)
    for number in range(10):
        tap.write(tone_packets(440.0)[number], FRAME, number * FRAME, start_ms * 48 + number * FRAME)
    tap.close()
    return closed[0]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_module, "RETRY_SECONDS", (0.01, 0.02))


Opened = Callable[..., Spool]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    spools = []

    def open_spool(storage: Storage, name: str = "one") -> Spool:
        spool = Spool(tmp_path, name, storage.ship)
        spools.append(spool)
        return spool

    yield open_spool
    for spool in spools:
        if spool._thread.is_alive():
            spool.close()
        else:
            spool.unlock()


def test_a_chunk_is_shipped_and_its_file_deleted(opened: Opened) -> None:
    storage = Storage()
    spool = opened(storage)
    spool.start()
    spool.submit(chunk())
    assert storage.wait_for(1) == [chunk()]
    spool.close()
    assert spool.waiting == 0


def test_a_failing_storage_is_tried_again(opened: Opened) -> None:
    storage = Storage(failures=3)
    spool = opened(storage)
    spool.start()
    for start_ms in (0, 5000, 10_000):
        spool.submit(chunk(start_ms))
    assert sorted(shipped.start_ms for shipped in storage.wait_for(3)) == [0, 5000, 10_000]


def test_what_could_not_be_shipped_stays_on_disk_for_the_next_start(opened: Opened) -> None:
    storage = Storage(failures=1000)
    spool = opened(storage)
    spool.start()
    spool.submit(chunk())
    spool.close()
    assert spool.waiting == 1
    storage.failures = 0
    opened(storage).start()
    assert storage.wait_for(1) == [chunk()]


def test_leftovers_of_another_node_that_is_gone_are_taken_over(opened: Opened) -> None:
    storage = Storage(failures=1000)
    gone = opened(storage, "gone")
    gone.start()
    gone.submit(chunk())
    gone.close()
    storage.failures = 0
    opened(storage, "next").start()
    assert storage.wait_for(1) == [chunk()]
    assert gone.waiting == 0


def test_a_living_neighbour_is_left_alone(opened: Opened, tmp_path: Path) -> None:
    storage = Storage(failures=1000)
    neighbour = opened(storage, "neighbour")
    (tmp_path / "neighbour" / "space_turn_0.opus").write_bytes(chunk().data)
    quiet = Storage()
    other = opened(quiet, "other")
    other.start()
    other.close()
    assert neighbour.waiting == 1
    assert quiet.chunks == []


def test_two_nodes_of_one_name_are_refused(opened: Opened) -> None:
    opened(Storage())
    with pytest.raises(OSError, match="another node named one"):
        opened(Storage())


def test_a_damaged_file_is_set_aside(opened: Opened, tmp_path: Path) -> None:
    storage = Storage()
    spool = opened(storage)
    (tmp_path / "one" / "half.opus").write_bytes(chunk().data[:500])
    spool.start()
    spool.submit(chunk())
    storage.wait_for(1)
    spool.close()
    assert (tmp_path / "one" / "half.damaged").exists()
    assert storage.chunks == [chunk()]


def test_with_a_full_disk_chunks_are_shipped_from_memory(
    opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = Storage(failures=2)
    spool = opened(storage)

    def full(path: Path, *args: Any, **kwargs: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(tmp_path), "open", full)
    spool.start()
    spool.submit(chunk())
    assert storage.wait_for(1) == [chunk()]
