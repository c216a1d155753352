"""When a port is read: at once with few peers, every few milliseconds with many."""

import asyncio
import socket
from collections.abc import Iterator

import pytest

from rooms.media.network.reading import PAUSE_SECONDS, Reading
from tests.rooms.media.conftest import until

PACKETS = 200


class Port:
    """A socket and its reader. Counts the reads and keeps the packets."""

    def __init__(self) -> None:
        self.ours, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.ours.setblocking(False)
        self.reads = self.got = 0
        self.many = False
        self.at_a_time = PACKETS
        self.reading = Reading(self.ours, self.read, lambda: self.many)

    def read(self) -> bool:
        self.reads += 1
        for _ in range(self.at_a_time):
            try:
                self.ours.recv(100)
            except BlockingIOError:
                return False
            self.got += 1
        return True

    async def gets(self, count: int) -> int:
        """Send `count` packets one after the other. Returns how many reads took them."""
        before, wanted = self.reads, self.got + count
        for _ in range(count):
            self.theirs.send(b"packet")
            await asyncio.sleep(0)
        await until(lambda: self.got == wanted)
        return self.reads - before


@pytest.fixture
def port() -> Iterator[Port]:
    one = Port()
    yield one
    one.ours.close()
    one.theirs.close()


async def test_of_few_every_packet_is_read_at_once(port: Port) -> None:
    port.reading.start()
    assert await port.gets(1) == 1
    await asyncio.sleep(3 * PAUSE_SECONDS)
    assert port.reads == 1, "it is not read while nothing comes"
    port.reading.stop()


async def test_of_many_several_are_read_at_a_time(port: Port) -> None:
    port.many = True
    port.reading.start()
    await port.gets(1)
    reads = await port.gets(PACKETS)
    print(f"{PACKETS} packets in {reads} reads")
    assert reads < PACKETS / 2
    port.reading.stop()


async def test_what_is_left_is_read_without_a_pause(port: Port) -> None:
    port.many, port.at_a_time = True, 10
    port.reading.start()
    await port.gets(1)
    asked: list[float] = []
    later = asyncio.get_running_loop().call_later
    port.reading._loop.call_later = lambda delay, *work: asked.append(delay) or later(delay, *work)  # type: ignore
    await port.gets(50)
    assert asked.count(0) >= 4
    port.reading.stop()


async def test_when_many_have_gone_it_is_woken_again(port: Port) -> None:
    port.many = True
    port.reading.start()
    await port.gets(1)
    port.many = False
    await until(lambda: port.reading._handle is None)  # the read that was planned while there were many is over
    before = port.reads
    await asyncio.sleep(3 * PAUSE_SECONDS)
    assert port.reads == before
    assert await port.gets(1) == 1
    port.reading.stop()


@pytest.mark.parametrize("many", [False, True])
async def test_after_the_end_nothing_is_read(port: Port, many: bool) -> None:
    port.many = many
    port.reading.start()
    await port.gets(1)
    port.reading.stop()
    before = port.reads
    port.theirs.send(b"packet")
    await asyncio.sleep(3 * PAUSE_SECONDS)
    assert port.reads == before


async def test_a_fault_at_one_packet_does_not_stop_the_reading(port: Port, monkeypatch: pytest.MonkeyPatch) -> None:
    port.many = True
    port.reading.start()
    await port.gets(1)
    loop, faults = asyncio.get_running_loop(), list[object]()
    loop.set_exception_handler(lambda _, context: faults.append(context["exception"]))

    def failing() -> bool:
        monkeypatch.undo()
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(port.reading, "_read", failing)
    await until(lambda: bool(faults))
    assert await port.gets(1) >= 1
    port.reading.stop()
