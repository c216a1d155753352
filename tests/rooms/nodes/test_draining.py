"""What `manage.py media` knows of a node that it empties: real nodes, and no one in the Spaces."""

import asyncio

import aiohttp
import pytest
import redis

from rooms import events
from rooms.loops import database
from rooms.media.contract import heartbeat
from rooms.media.node import Node
from rooms.models import Space
from rooms.nodes import draining, http, placement
from rooms.store.client import redis_client
from tests.rig.live.page import _close_what_belongs_to_the_loop
from tests.rooms.media.conftest import until
from tests.rooms.nodes.test_media import Start, media, refusal, start
from tests.rooms.nodes.test_moving import settle, two
from tests.rooms.nodes.test_strays import beat

__all__ = ["_close_what_belongs_to_the_loop", "start"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.asyncio]


async def node_of(tea: Space) -> str:
    return (await Space.objects.aget(pk=tea.pk)).node


def fall_silent(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lose the heartbeat in Redis, and let the node send no other."""

    async def nothing(now: float) -> None: ...

    monkeypatch.setattr(node.link, "_say_alive", nothing)
    redis_client().delete(heartbeat.KEY.format(name=node.name))


async def test_a_space_that_was_placed_a_moment_ago_moves_too(tea: Space, start: Start) -> None:
    old = await start("old")
    await database(placement.place)(tea)
    await start("new")
    assert not old.engine.spaces, "no one has come yet, so no heartbeat names it"
    assert f"({tea.pk}) moved to new: 0 connected" in await media("drain", "old")
    assert await node_of(tea) == "new"


async def test_a_space_that_comes_while_the_drain_begins_moves_too(
    tea: Space, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    (old, _), set_draining = await two(start), draining.set_draining

    async def placed_meanwhile(node: placement.Node, client: aiohttp.ClientSession, on: bool) -> bool:
        if on:
            await database(placement.place)(tea)
            assert await http.call(client, "PUT", f"{node.url}/spaces/{tea.pk}") is not None
        return await set_draining(node, client, on)

    monkeypatch.setattr(draining, "set_draining", placed_meanwhile)
    assert "moved to new" in await media("stop", "old")
    assert old.stop_requested.is_set()
    assert await node_of(tea) == "new"


async def test_a_space_whose_place_is_written_after_the_rows_were_read_moves_too(
    tea: Space, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    (old, _), all_on, looks = await two(start), draining._all_on, list[list[str]]()

    async def placed_after_that(node: placement.Node) -> list[str]:
        looks.append(await all_on(node))
        if len(looks) == 1:
            await settle(tea, old)
        return looks[-1]

    monkeypatch.setattr(draining, "_all_on", placed_after_that)
    assert "moved to new" in await media("stop", "old")
    assert looks[0] == []
    assert old.stop_requested.is_set()
    assert await node_of(tea) == "new"


async def test_a_node_whose_heartbeat_redis_has_lost_has_not_ended(
    tea: Space, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    node, lives, asked = await start("n1"), draining.is_running, list[bool]()

    async def noted(one: placement.Node, client: aiohttp.ClientSession) -> bool:
        asked.append(await lives(one, client))
        return asked[-1]

    monkeypatch.setattr(draining, "is_running", noted)
    await database(placement.place)(tea)
    async with http.client() as client:
        await http.call(client, "PUT", f"{node.url}/spaces/{tea.pk}")
    await beat(lambda alive: bool(alive[0].spaces))
    waiting = asyncio.create_task(media("drain", "n1", "--wait", "--stay"))
    await until(lambda: bool(asked), 20)
    fall_silent(node, monkeypatch)
    seen = len(asked)
    await until(lambda: len(asked) > seen + 1 or waiting.done(), 20)
    assert all(asked)
    assert not waiting.done(), "it has not ended, and is not empty either"
    await node.stop()
    assert (await waiting).endswith("n1 has ended.\n")


async def test_a_node_that_redis_does_not_hear_is_not_drained(
    tea: Space, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = await start("n1")
    monkeypatch.setattr(draining, "BEAT_SECONDS", 0.2)
    said = redis_client().get(heartbeat.KEY.format(name="n1"))
    fall_silent(node, monkeypatch)
    redis_client().set(heartbeat.KEY.format(name="n1"), str(said))
    assert await refusal("stop", "n1") == "n1 answers, but Redis has no heartbeat from it: see its log."
    assert not node.draining
    assert not node.stop_requested.is_set()


@pytest.mark.parametrize(("failures", "said", "left_on"), [(1, "moved to new", "new"), (99, "stays: no page", "old")])
async def test_a_space_stays_if_no_page_can_be_reached(
    tea: Space, start: Start, monkeypatch: pytest.MonkeyPatch, failures: int, said: str, left_on: str
) -> None:
    await two(start)
    await database(placement.place)(tea)
    hint, tried = events.hint, 0

    async def failing(space_id: object, frame: events.Hint) -> None:
        nonlocal tried
        tried += 1
        if tried <= failures:
            raise redis.ConnectionError("Redis is away")
        await hint(space_id, frame)

    monkeypatch.setattr(events, "hint", failing)
    assert f"({tea.pk}) {said}" in await media("drain", "old")
    assert await node_of(tea) == left_on
