"""No one hears a Space without being in it: real sockets, a real node, a real peer that stays when its page goes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from django.conf import settings
from django.utils import timezone

from accounts.models import User
from rooms import tasks
from rooms.loops import database
from rooms.media.capture.tap import Chunk
from rooms.media.client.peer import Client, Crowd
from rooms.media.contract.hints import Hint
from rooms.media.contract.standing import LEFT
from rooms.media.node import Node
from rooms.models import Participant, Space
from rooms.nodes import placement, strays
from rooms.protocol import Close
from rooms.store.client import async_redis_client
from tests.rig.live.page import Page, _close_what_belongs_to_the_loop, pages
from tests.rig.media.settings import node_settings
from tests.rooms.media.conftest import until

__all__ = ["_close_what_belongs_to_the_loop"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.asyncio]


class Quiet:
    """A web side that ignores hints."""

    async def hint(self, hint: Hint) -> None: ...

    def ship(self, chunk: Chunk) -> None: ...


@pytest_asyncio.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    """A node in which Spaces can be placed."""
    own = {"secret": settings.MEDIA_SECRET, "redis_url": settings.REDIS_URL, "spool": tmp_path / "spool"}
    node = Node(node_settings(**own), Quiet())
    await node.start()
    await beat(lambda nodes: bool(nodes))
    yield node
    await node.stop()


@pytest_asyncio.fixture
async def crowd() -> AsyncIterator[Crowd]:
    async with Crowd() as crowd:
        yield crowd


async def beat(says: Callable[[list[placement.Node]], bool]) -> None:
    """Wait for heartbeats that say so."""
    async with asyncio.timeout(20):
        while not says(await sync_to_async(placement.nodes)()):  # noqa: ASYNC110 -- only Redis has it
            await asyncio.sleep(0.01)


async def listen(page: Page, crowd: Crowd) -> Client:
    """Connect the sound of a page, as far as to its first packet."""
    client = crowd.add(Client())
    await page.send(type="offer", sdp=client.offer(), id=7)
    client.accept((await page.until("answer", re=7))["sdp"])
    await client.connected()
    await client.sounding()
    await beat(lambda nodes: all(node.spaces for node in nodes))
    return client


async def test_the_connection_goes_on_after_a_change_of_network(
    tea: Space, sol: User, lior: User, node: Node, crowd: Crowd
) -> None:
    async with pages(tea, sol, lior) as [page, strangers]:
        client = await listen(page, crowd)
        before = dict(node.engine.spaces[str(tea.pk)].peers)
        stolen = client.offer()
        await strangers.send(type="offer", sdp=stolen, restart=True, id=8)
        assert (await strangers.until("error", re=8))["code"] == "no_peer"
        heard = client.received.packets
        client.move("127.0.0.2")
        await page.send(type="offer", sdp=client.restart(), restart=True, id=9)
        client.accept((await page.until("answer", re=9))["sdp"])
        await until(lambda: client.received.packets > heard)
        assert node.engine.spaces[str(tea.pk)].peers == before
        assert (node.engine.joins, node.engine.restarts) == (1, 1)


async def sweep(seconds_away: int | None = None) -> None:
    """Run the sweeps as beat does. Everyone who is away has been so for that long."""
    if seconds_away is not None:
        since = timezone.now() - timedelta(seconds=seconds_away)
        await Participant.objects.filter(away_since__isnull=False).aupdate(away_since=since)
    await database(tasks.sweep_presence)()
    await database(tasks.sweep_peers)()


def deaf(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the node miss every hint about people who left."""
    monkeypatch.setattr(node.link, "_on_message", ignore)


async def ignore(*_: object) -> None: ...


async def test_a_peer_that_stays_when_its_page_closes_is_dropped(
    tea: Space, hana: User, sol: User, node: Node, crowd: Crowd
) -> None:
    async with pages(tea, hana) as [_]:
        async with pages(tea, sol) as [page]:
            client = await listen(page, crowd)
        await sweep(settings.SPACES_AWAY_SECONDS + 1)
        await until(client.gone.is_set)
        assert node.engine.peers == 0


async def test_a_member_who_reconnects_keeps_the_sound(
    tea: Space, hana: User, sol: User, node: Node, crowd: Crowd
) -> None:
    async with pages(tea, hana) as [_]:
        async with pages(tea, sol) as [page]:
            client = await listen(page, crowd)
        await sweep(settings.SPACES_AWAY_SECONDS - 10)
        heard = client.received.packets
        async with pages(tea, sol):
            await sweep()
            await until(lambda: client.received.packets > heard + 5)
            assert not client.gone.is_set()


@pytest.mark.parametrize("reached", [True, False])
async def test_a_member_who_leaves_loses_the_sound_even_if_the_hint_was_lost(
    tea: Space, hana: User, sol: User, node: Node, crowd: Crowd, monkeypatch: pytest.MonkeyPatch, reached: bool
) -> None:
    async with pages(tea, hana, sol) as [_, page]:
        client = await listen(page, crowd)
        if not reached:
            deaf(node, monkeypatch)
        await page.send(type="leave", id=1)
        assert await page.until("ok", re=1)
        if not reached:
            await sweep()
        await until(client.gone.is_set)
        assert node.engine.peers == 0
        assert await page.closed() == Close.LEFT


@pytest.mark.parametrize(
    ("out", "code"), [("left_at", Close.LEFT), ("removed_at", Close.REMOVED), ("barred_at", Close.NOT_FOUND)]
)
async def test_a_page_that_missed_its_end_is_closed(
    tea: Space, hana: User, sol: User, node: Node, out: str, code: int
) -> None:
    """Its person is out by the rows, and it would go on reading. It learns why, so that it does not come back."""
    async with pages(tea, hana, sol) as [_, page]:
        now = timezone.now()
        await Participant.objects.filter(space=tea, user=sol).aupdate(**{"left_at": now, out: now})
        await sweep()
        assert await page.closed() == code


async def test_those_in_the_space_stay(tea: Space, hana: User, sol: User, node: Node, crowd: Crowd) -> None:
    async with pages(tea, hana, sol) as [host, page]:
        clients = [await listen(host, crowd), await listen(page, crowd)]
        await sweep()
        assert node.engine.peers == 2
        assert not any(client.gone.is_set() for client in clients)


async def test_a_node_that_does_not_answer_is_asked_again_later(
    tea: Space, hana: User, sol: User, node: Node, crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    deaf(node, monkeypatch)
    async with pages(tea, hana, sol) as [_, page]:
        client = await listen(page, crowd)
        await page.send(type="leave")
        await page.closed()
        with monkeypatch.context() as broken:
            broken.setattr(settings, "MEDIA_SECRET", "another")
            assert await sync_to_async(strays.drop_strays, thread_sensitive=False)() == 0
        assert await sync_to_async(strays.drop_strays, thread_sensitive=False)() == 1
        await until(client.gone.is_set)


async def test_words_about_strangers_change_nothing(tea: Space, hana: User, node: Node, crowd: Crowd) -> None:
    async with pages(tea, hana) as [page]:
        client = await listen(page, crowd)
        for note in ("", "x", f"{tea.pk}", f"{tea.pk} unknown", f"elsewhere {tea.pk}"):
            await async_redis_client().publish(LEFT, note)
        heard = client.received.packets
        await until(lambda: client.received.packets > heard + 5)
        assert node.engine.peers == 1
