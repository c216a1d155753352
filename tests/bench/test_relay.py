"""The relay makes a network bad as configured, the same way each time for a seed."""

import socket
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
import pytest_asyncio

from bench.rig.relay import Link, Network, Relay
from tests.rooms.media.conftest import until

TICK = 0.02


def arrivals(network: Network, seed: int, packets: int = 2000) -> list[float | None]:
    link = Link(network, seed)
    return [link.arrival(1 + number * TICK) for number in range(packets)]


def test_the_same_packets_are_lost_for_the_same_seed() -> None:
    network = Network(loss=0.1)
    assert arrivals(network, 5) == arrivals(network, 5)
    assert arrivals(network, 5) != arrivals(network, 6)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.1, 1.0])
def test_the_share_that_is_lost(share: float) -> None:
    lost = arrivals(Network(loss=share), 3).count(None)
    assert lost == pytest.approx(2000 * share, abs=25)


def test_a_perfect_network_delivers_at_once_and_in_order() -> None:
    assert arrivals(Network(), 1, 10) == [1 + number * TICK for number in range(10)]


def test_jitter_delays_and_keeps_the_order() -> None:
    came = [at for at in arrivals(Network(delay=0.05, jitter=0.04), 4) if at is not None]
    waits = [at - (1 + number * TICK) for number, at in enumerate(came)]
    assert came == sorted(came)
    assert min(waits) >= 0.05
    assert max(waits) <= 0.09 + 1e-9
    assert max(waits) - min(waits) > 0.03


def test_some_packets_come_after_those_behind_them() -> None:
    link = Link(Network(reordered=0.05, late=0.03), 8)
    came = [link.arrival(1 + number * TICK) or 0.0 for number in range(2000)]
    overtaken = sum(before > after for before, after in pairwise(came))
    assert 60 < overtaken <= link.counts["reordered"] < 140
    assert link.counts["passed"] == 2000


class Ends:
    """A peer, a relay, a server, on loopback."""

    def __init__(self) -> None:
        self.relay = Relay("127.0.0.1", seed=1)
        self.peer, self.server = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        for end in (self.peer, self.server):
            end.bind(("127.0.0.1", 0))
            end.setblocking(False)
        self.inner = self.relay.connect(self.server.getsockname())

    def close(self) -> None:
        self.relay.close()
        self.peer.close()
        self.server.close()


@pytest_asyncio.fixture(name="ends")
async def _ends() -> AsyncIterator[Ends]:
    ends = Ends()
    yield ends
    ends.close()


async def received(sock: socket.socket) -> tuple[bytes, tuple[str, int]]:
    found: list[tuple[bytes, tuple[str, int]]] = []

    def look() -> bool:
        try:
            found.append(sock.recvfrom(100))
        except BlockingIOError:
            return False
        return True

    await until(look)
    return found[0]


async def test_it_passes_on_both_ways(ends: Ends) -> None:
    ends.peer.sendto(b"question", ends.inner)
    assert await received(ends.server) == (b"question", ends.relay.outer)
    ends.server.sendto(b"answer", ends.relay.outer)
    assert await received(ends.peer) == (b"answer", ends.inner)


async def test_it_loses_on_one_way_and_not_on_the_other(ends: Ends) -> None:
    ends.relay.up.network = Network(loss=1.0)
    ends.peer.sendto(b"lost", ends.inner)
    await until(lambda: ends.relay.up.counts["lost"] == 1)
    ends.server.sendto(b"heard", ends.relay.outer)
    assert (await received(ends.peer))[0] == b"heard"
    with pytest.raises(BlockingIOError):
        ends.server.recvfrom(100)


async def test_what_waits_when_it_is_closed_is_lost_without_a_word(ends: Ends) -> None:
    ends.relay.up.network = Network(delay=0.01)
    ends.peer.sendto(b"late", ends.inner)
    await until(lambda: ends.relay.up.counts["passed"] == 1)
    ends.relay.close()
    ends.relay.close()
