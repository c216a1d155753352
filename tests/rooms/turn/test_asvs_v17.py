"""OWASP ASVS 5.0, V17.1 (TURN server): a test for each item, by its number, on the documented configuration.

test_peers.py asks for each single range of V17.1.1.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from tests.rig.documents import configuration
from tests.rig.services.coturn import Cable, Coturn, user
from tests.rooms.turn.client import IPV6, Client, Node, allocated, client

pytestmark = [pytest.mark.alone, pytest.mark.needs_coturn, pytest.mark.needs_network]
FORBIDDEN, QUOTA_REACHED = 403, 486
OF_A_USER, OF_ALL, BYTES_PER_SECOND = 24, 4000, 32_000
FEW = 30  # allocations of all together: 4000 would take long


@pytest.fixture
async def node(coturn: Coturn) -> AsyncIterator[Node]:
    one = Node(coturn.cable.here)
    yield one
    one.close()


@pytest.fixture(scope="module")
def small(cable: Cable, coturn: Coturn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Coturn]:
    """The same with less for all together, on the ports beside."""
    changes = {f"total-quota={OF_ALL}": f"total-quota={FEW}"}
    running = Coturn(cable, tmp_path_factory.mktemp("small"), changes, ports=(3480, 444))
    yield running
    running.stop()


async def goes_on(one: Client, node: Node) -> None:
    """Sound passes to the node and back."""
    await one.send(b"sound", node.place)
    async with asyncio.timeout(30):
        assert await one.got.get() == b"dnuos"


@asynccontextmanager
async def as_many_as_possible(coturn: Coturn, identities: Iterator[str]) -> AsyncIterator[list[Client]]:
    """Allocations of these people, one each, until one is refused for want of quota."""
    async with AsyncExitStack() as stack:
        got: list[Client] = []
        while True:
            one = await stack.enter_async_context(client(coturn, user(next(identities))))
            code = await one.allocate()
            if code:
                break
            got.append(one)
        assert code == QUOTA_REACHED
        yield got


async def test_v17_1_1_only_the_media_node_is_reached(coturn: Coturn, node: Node) -> None:
    async with allocated(coturn, user()) as member:
        for reserved in ("10.0.0.1", "127.0.0.1", "169.254.169.254", "192.168.1.1", "255.255.255.255", "8.8.8.8"):
            assert await member.permit(reserved) == FORBIDDEN
        await goes_on(member, node)
    async with allocated(coturn, user(), IPV6) as member:
        for reserved in (
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "fe80::1",
            "fc00::1",
            "64:ff9b::7f00:1",
            "2a00::1",
        ):
            assert await member.permit(reserved) == FORBIDDEN


async def test_v17_1_1_each_of_several_nodes_is_reached_and_nothing_else(cable: Cable, tmp_path: Path) -> None:
    only = "allowed-peer-ip=203.0.113.7\nallowed-peer-ip=2001:db8::7\n"
    nodes = configuration("coturn_nodes").replace("203.0.113.8", cable.other).replace("2001:db8::8", cable.other6)
    coturn = Coturn(cable, tmp_path, {only: nodes}, ports=(3482, 446))
    try:
        async with allocated(coturn, user()) as member:
            assert [await member.permit(peer) for peer in (cable.here, cable.other)] == [0, 0]
            assert await member.permit(cable.there) == FORBIDDEN
        async with allocated(coturn, user(), IPV6) as member:
            assert [await member.permit(peer) for peer in (cable.here6, cable.other6)] == [0, 0]
            assert await member.permit(cable.there6) == FORBIDDEN
    finally:
        coturn.stop()


async def test_v17_1_2_a_member_who_opens_many_ports_is_stopped_and_harms_no_one(coturn: Coturn, node: Node) -> None:
    """The name's first part, its end, differs from one set of credentials to the next; that does not help."""
    async with allocated(coturn, user("lior")) as lior, as_many_as_possible(coturn, iter(["sol"] * 1000)) as greedy:
        assert len(greedy) == OF_A_USER
        async with client(coturn, user("sol", seconds=3000)) as again:
            assert await again.allocate() == QUOTA_REACHED
        await goes_on(lior, node)
        async with allocated(coturn, user("hana")) as hana:
            await goes_on(hana, node)
        await goes_on(greedy[0], node)


async def test_v17_1_2_members_together_are_stopped_and_who_is_there_goes_on(small: Coturn, node: Node) -> None:
    async with as_many_as_possible(small, (f"member-{number}" for number in range(10_000))) as there:
        assert len(there) == FEW
        for one in there:
            await goes_on(one, node)


async def test_v17_1_2_a_member_who_floods_is_slowed_down_and_harms_no_one(coturn: Coturn, node: Node) -> None:
    """Ten times the allowed rate for two seconds. No more gets through than these seconds allow."""
    packet, started = bytes(1000), time.monotonic()
    async with allocated(coturn, user()) as flooding, allocated(coturn, user()) as lior:
        await goes_on(flooding, node)
        before = node.got
        while time.monotonic() - started < 2.0:
            for _ in range(BYTES_PER_SECOND // 1000):
                await flooding.send(packet, node.place)
            await asyncio.sleep(0.1)
        sent_for = time.monotonic() - started
        await goes_on(lior, node)
        through = node.got - before
        print(f"{through} bytes of {sent_for * 10 * BYTES_PER_SECOND:.0f} got through in {sent_for:.1f} s")
        assert through <= (sent_for + 2) * BYTES_PER_SECOND
