"""Offers: a silent node holds up no others, and one offer takes two steps. Nodes are stand-ins, all else is real."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from uuid import UUID

import pytest
import pytest_asyncio
from aiohttp import web
from asgiref.sync import SyncToAsync

from accounts.models import User
from rooms.loops import database
from rooms.media.contract.joining import Join
from rooms.models import Space
from rooms.nodes import offers
from rooms.nodes.offers import AT_ONCE, Place
from rooms.nodes.refusals import SoundRefused
from rooms.store import queue
from tests.rig.live.page import _close_what_belongs_to_the_loop
from tests.rig.media import heartbeat
from tests.rooms.media.conftest import until

__all__ = ["_close_what_belongs_to_the_loop"]

SECONDS = 1.0  # for an offer, in these tests
PAGES = 100
THERE = "there"  # the Space that is on the other node all the time


class Dark:
    """Nodes that take connections and never answer, until they are known to be dead, and one that answers."""

    def __init__(self) -> None:
        self.taken = 0
        self._dark: list[asyncio.Server] = []
        self.is_known = False
        self._writers: list[asyncio.StreamWriter] = []

    async def start(self) -> None:
        await self.add(1)
        app = web.Application()
        app.router.add_post("/spaces/{space}/peers", self._answer)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()

    async def add(self, count: int) -> None:
        """Add so many silent nodes."""
        self._dark += [await asyncio.start_server(self._take, "127.0.0.1", 0) for _ in range(count)]

    async def stop(self) -> None:
        for writer in self._writers:
            writer.close()
        for node in self._dark:
            node.close()
        await self._runner.cleanup()

    async def come(self, participant: UUID) -> Place:
        """The place of this Space. Odd numbers are on the node that answers, even ones on silent nodes."""
        away = self.is_known or participant.int % 2
        dark = self._dark[participant.int // 2 % len(self._dark)]
        port = self._runner.addresses[0][1] if away else dark.sockets[0].getsockname()[1]
        return Place(THERE, heartbeat.node(f"{port}", url=f"http://127.0.0.1:{port}"), preferred=True)

    async def _take(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.taken += 1
        self._writers.append(writer)

    async def _answer(self, _: web.Request) -> web.Response:
        return web.json_response({"sdp": "v=0"})


@pytest_asyncio.fixture
async def dark(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Dark]:
    nodes = Dark()
    await nodes.start()
    monkeypatch.setattr(offers, "SECONDS", SECONDS)
    monkeypatch.setattr(offers, "_find_place", nodes.come)
    monkeypatch.setattr(queue, "got_sound", lambda *_: None)
    yield nodes
    await nodes.stop()


def participants(odd: int, count: int = PAGES) -> list[UUID]:
    return [UUID(int=2 * number + odd) for number in range(count)]


@pytest.mark.parametrize("count", [1, 7])
async def test_silent_nodes_hold_up_no_offers_to_another_one(
    dark: Dark, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if they take more offers together than a session of aiohttp takes by default."""
    monkeypatch.setattr(offers, "SECONDS", 60.0)  # so that no slot gets free, however slow the machine
    await dark.add(count - 1)
    stuck = [asyncio.create_task(offers.answer(who, "v=0")) for who in participants(0, count * PAGES)]
    await until(lambda: dark.taken == count * AT_ONCE)
    answers = await asyncio.gather(*(offers.answer(who, "v=0") for who in participants(1)))
    assert len(answers) == PAGES
    assert not any(task.done() for task in stuck)
    for task in stuck:
        task.cancel()
    await asyncio.gather(*stuck, return_exceptions=True)


async def test_offers_that_waited_for_a_silent_node_go_elsewhere_once_it_is_known_to_be_dead(dark: Dark) -> None:
    start = time.monotonic()
    pages = [asyncio.create_task(_page(who, start)) for who in participants(0)]
    await until(lambda: dark.taken == AT_ONCE)
    dark.is_known = True
    back = sorted(await asyncio.gather(*pages))
    rounds = -(-PAGES // AT_ONCE)
    print(f"first back after {back[0]:.1f} s, last after {back[-1]:.1f} s; {rounds} rounds of {SECONDS:.0f} s before")
    assert dark.taken == AT_ONCE, "no one asked it who had not asked it before"


@pytest.mark.django_db(transaction=True)
async def test_an_offer_goes_to_the_database_in_one_step_and_to_the_queue_in_another(
    tea: Space, lior: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each step waits for a thread, of which a storm of joins leaves none free."""
    me = await database(tea.enter)(lior)
    heartbeat.beat("media-1")
    steps: list[str] = []
    call = SyncToAsync.__call__

    async def counted(step: SyncToAsync, *args: object, **kwargs: object) -> object:
        steps.append(step.func.__name__)
        return await call(step, *args, **kwargs)

    async def ask(url: str, join: Join) -> str:
        return "v=0"

    monkeypatch.setattr(offers, "_ask", ask)
    monkeypatch.setattr(SyncToAsync, "__call__", counted)
    assert await offers.answer(me.pk, "v=0") == ("v=0", "1")
    assert steps == ["_read_place", "got_sound"]


async def _page(participant: UUID, start: float) -> float:
    """Offer until a node answers. Returns after how many seconds."""
    while True:
        with suppress(SoundRefused):
            await offers.answer(participant, "v=0")
            return time.monotonic() - start
