"""Who is let in while a node is busy or nearly full: measured with real work, decided without any."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from rooms.media.admission import LAST_PLACES, RELIEF, Admission
from rooms.media.client.peer import Client, Crowd
from rooms.media.clock import TICK_SECONDS
from rooms.media.contract.grant import mint
from rooms.media.engine import Refused
from rooms.media.node import Node
from tests.rig.media.web import Running, Web
from tests.rooms.media.conftest import SECRET, SPACE, World, until

MOST = 0.7
PATIENCE = 60.0


def ticks(share: float) -> list[float]:
    """Durations of 4 s of ticks that take this share of their time."""
    return [share * TICK_SECONDS] * 200


def test_newcomers_are_refused_from_the_limit_on_and_taken_again_a_good_way_below_it() -> None:
    admission = Admission(MOST, 100)
    taken = []
    for busy in (0.69, 0.70, 0.69, MOST - RELIEF, MOST - RELIEF - 0.01, 0.69):
        admission.weigh(busy, ticks(0.1))
        taken.append(not admission.refusal(0, preferred=False))
    assert taken == [True, False, False, False, True, True]


def test_long_ticks_count_like_a_busy_core_and_a_few_held_up_ones_do_not() -> None:
    admission = Admission(MOST, 100)
    admission.weigh(0.1, ticks(0.1)[:185] + ticks(3.0)[:15])
    assert not admission.is_busy
    admission.weigh(0.1, ticks(0.72))
    assert admission.refusal(0, preferred=False) == "this node is 72% busy and takes newcomers below 70%"


def test_speakers_and_those_who_come_back_are_taken_up_to_the_last_place() -> None:
    admission = Admission(MOST, 100)
    places = 100 - 100 // LAST_PLACES
    admission.weigh(0.9, [])
    assert [bool(admission.refusal(peers, preferred=True)) for peers in (0, places, 99, 100)] == [
        False,
        False,
        False,
        True,
    ]
    admission.weigh(0.0, [])
    assert [bool(admission.refusal(peers, preferred=False)) for peers in (0, places - 1, places)] == [
        False,
        False,
        True,
    ]


def granted(name: str, back: bool = False) -> str:
    return mint(SECRET, SPACE, name, time.time(), back=back)


async def test_a_busy_engine_drops_no_peer_and_refuses_only_newcomers(world: World) -> None:
    world.stand("hana", "sol")
    lior = await world.join("lior")
    world.engine.admission.weigh(world.engine.settings.most_load, [])
    offer = Client()
    with pytest.raises(Refused) as refusal:
        world.engine.join(SPACE, granted("dee"), offer.offer())
    assert refusal.value.code == "full"
    await world.join("hana")
    await world.join("dee", granted("dee", back=True))
    await world.join("lior")
    assert set(world.engine.spaces[SPACE].peers) == {"hana", "dee", "lior"}
    assert lior.received.malformed == 0
    offer.vanish()


@asynccontextmanager
async def burning(share: float) -> AsyncIterator[None]:
    """Work in the node's own thread that takes this share of the core, in pieces shorter than a tick."""

    async def burn() -> None:
        while True:
            end = time.thread_time() + share * TICK_SECONDS
            while time.thread_time() < end:
                pass
            await asyncio.sleep((1 - share) * TICK_SECONDS)

    task = asyncio.create_task(burn())
    try:
        yield
    finally:
        task.cancel()


@pytest.mark.alone
async def test_a_node_that_measures_too_much_work_says_so_and_takes_newcomers_again_after_it(
    running: Running, web: Web
) -> None:
    await web.write("hana")
    async with running(most_load=0.3) as (node, call), Crowd() as crowd:
        lior = await call.connect(crowd, "lior")
        await until(lambda: not node.engine.is_full, PATIENCE)
        async with burning(0.9):
            start = time.monotonic()
            await until(lambda: node.engine.is_full, PATIENCE)
            print(f"refuses newcomers after {time.monotonic() - start:.1f} s at {node.engine.admission.busy:.0%}")
            dee = Client()
            status, error = await call.join(dee, "dee")
            assert (status, error["error"]) == (503, "full")
            await call.connect(crowd, "hana")
            await until_says(web, node, full=True)
        start = time.monotonic()
        await until(lambda: not node.engine.is_full, PATIENCE)
        print(f"takes them again after {time.monotonic() - start:.1f} s at {node.engine.admission.busy:.0%}")
        await until_says(web, node, full=False)
        assert (await call.join(dee, "dee"))[0] == 200
        assert not lior.gone.is_set()
        dee.vanish()


async def until_says(web: Web, node: Node, full: bool) -> None:
    """Wait until the heartbeat says so."""
    word = f'"full":{"true" if full else "false"}'
    async with asyncio.timeout(20):
        while word not in str(await web.redis.get(f"spaces:node:{node.name}")):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("path", ["draining", "stop"])
async def test_a_node_is_emptied_or_stopped_only_with_the_secret(running: Running, path: str) -> None:
    async with running() as (node, call):
        status, _ = await call("PUT" if path == "draining" else "POST", f"/{path}", secret="wrong")
        assert status == 401
        assert not node.draining
        assert not node.stop_requested.is_set()


async def test_a_node_drains_goes_on_and_stops_on_command(running: Running) -> None:
    async with running() as (node, call):
        for method, draining in (("PUT", True), ("DELETE", False)):
            assert (await call(method, "/draining"))[0] == 204
            assert node.beat().draining is draining
        assert (await call("POST", "/stop"))[0] == 204
        assert node.stop_requested.is_set()


async def test_a_space_is_made_ready_and_closed_on_one_node(running: Running, web: Web) -> None:
    async with running() as (node, call), Crowd() as crowd:
        assert (await call("PUT", f"/spaces/{SPACE}"))[1]["error"] == "no_space"
        await web.write("hana")
        assert (await call("PUT", f"/spaces/{SPACE}"))[0] == 204
        hana = await call.connect(crowd, "hana")
        assert (await call("GET", f"/spaces/{SPACE}"))[1]["here"] == ["hana"]
        assert (await call("DELETE", f"/spaces/{SPACE}"))[0] == 204
        await until(hana.gone.is_set)
        assert node.engine.spaces == {}
