"""A node and Redis: its heartbeat, standings as they are published, lost and acknowledged."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from rooms.media import link
from rooms.media.client.peer import Client, Crowd
from rooms.media.contract import heartbeat, standing
from rooms.media.node import Node
from tests.rig.media.settings import node_settings
from tests.rig.media.web import Running, Web
from tests.rooms.media.conftest import SPACE, until

ACK = standing.ACK_KEY.format(space=SPACE)


async def test_heartbeat_names_node_and_address_and_stops_with_the_node(running: Running, web: Web) -> None:
    async with running() as (node, _):
        beat = None
        async with asyncio.timeout(10):
            while beat is None:
                beat = await web.redis.get("spaces:node:n1")
        said = msgspec.json.decode(beat)
        assert said["url"] == node.url
        assert said["boot"] == node.boot
        assert (said["name"], said["peers"], said["capacity"], said["draining"]) == ("n1", 0, 1000, False)
        assert 0 < await web.redis.pttl("spaces:node:n1") <= 3000
    assert await web.redis.get("spaces:node:n1") is None


async def test_what_redis_lost_comes_back_with_the_next_heartbeat(running: Running, web: Web) -> None:
    async def listed(*names: str) -> None:
        found: list[str] = []
        async with asyncio.timeout(10):
            while found != list(names):
                found = await web.redis.zrange(heartbeat.NAMES, 0, -1)

    async with running():
        await listed("n1")
        await web.redis.flushdb()
        await web.redis.zadd(heartbeat.NAMES, {"gone": time.time() - heartbeat.FORGOTTEN_SECONDS - 1})
        await listed("n1")
        assert await web.redis.get("spaces:node:n1") is not None


async def test_the_heartbeat_says_for_how_long_redis_has_heard_it(
    running: Running, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeat, "SECONDS", 0.02)

    async def until_steady(holds: Callable[[float], bool]) -> None:
        seconds = -1.0
        async with asyncio.timeout(10):
            while not holds(seconds):
                beat = await web.redis.get("spaces:node:n1")
                seconds = msgspec.json.decode(beat)["steady"] if beat else -1.0

    async with running():
        await until_steady(lambda seconds: seconds == 0.0)
        await until_steady(lambda seconds: seconds > 0.3)
        await web.redis.flushdb()
        await until_steady(lambda seconds: 0.0 <= seconds < 0.3)
        await until_steady(lambda seconds: seconds > 0.3)


async def test_a_published_standing_is_applied_and_acknowledged(running: Running, web: Web) -> None:
    await web.write("hana")
    async with running() as (node, call):
        client = Client()
        await call.join(client, "hana")
        version = await web.write("hana", removed=frozenset({"hana"}))
        await until(lambda: (SPACE, version) in web.acknowledgements)
        assert await web.redis.get(ACK) == str(version)
        assert await web.redis.ttl(ACK) == -1
        assert node.engine.peers == 0
        client.vanish()


async def test_what_redis_lost_is_acknowledged_again(
    running: Running, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "REREAD_SECONDS", 0.02)
    version = await web.write("hana")
    async with running() as (_, call):
        client = Client()
        await call.join(client, "hana")
        await until(lambda: web.acknowledgements == [(SPACE, version)])
        await web.redis.delete(ACK)
        await until(lambda: web.acknowledgements == [(SPACE, version)] * 2)
        assert await web.redis.get(ACK) == str(version)
        client.vanish()


async def test_the_acknowledgement_of_an_ended_space_goes_away(running: Running, web: Web) -> None:
    await web.write("hana")
    async with running() as (_, call):
        client = Client()
        await call.join(client, "hana")
        version = await web.write(ended=True)
        await until(lambda: (SPACE, version) in web.acknowledgements)
        assert await web.redis.get(ACK) == str(version)
        assert 0 < await web.redis.ttl(ACK) <= standing.ENDED_SECONDS
        client.vanish()


async def test_a_participant_who_left_is_dropped_and_others_stay(running: Running, web: Web) -> None:
    await web.write("hana")
    async with running() as (_, call), Crowd() as crowd:
        clients = {name: await call.connect(crowd, name) for name in ("hana", "lior")}
        path = f"/spaces/{SPACE}/peers"
        assert sorted((await call("GET", path))[1]["participants"]) == ["hana", "lior"]
        await web.redis.publish(standing.LEFT, f"{SPACE} lior")
        await until(clients["lior"].gone.is_set)
        assert await call("GET", path) == (200, {"participants": ["hana"]})
        assert await call("GET", "/spaces/another/peers") == (200, {"participants": []})


async def test_a_standing_whose_publication_got_lost_is_read_all_the_same(
    running: Running, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "REREAD_SECONDS", 0.02)
    await web.write("hana")
    async with running() as (node, call):
        client = Client()
        await call.join(client, "hana")
        version = await web.write(publish=False)
        await until(lambda: node.engine.spaces[SPACE].standing.version == version)
        client.vanish()


async def test_an_ended_space_is_closed(running: Running, web: Web) -> None:
    await web.write("hana")
    async with running() as (node, call), Crowd() as crowd:
        client = await call.connect(crowd, "hana")
        await web.write("hana", ended=True)
        await until(client.gone.is_set)
        assert node.engine.spaces == {}
        assert (await call.join(client, "hana"))[1]["error"] == "no_space"


async def test_a_lost_standing_closes_the_space_only_after_a_while(
    running: Running, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "REREAD_SECONDS", 0.02)
    await web.write("hana")
    async with running() as (node, call):
        client = Client()
        await call.join(client, "hana")
        await web.redis.delete(standing.KEY.format(space=SPACE))
        await until(lambda: SPACE in node.link._missing_since)
        assert SPACE in node.engine.spaces
        monkeypatch.setattr(link, "MISSING_SECONDS", 0.0)
        await until(lambda: node.engine.spaces == {})
        client.vanish()


async def test_a_space_that_is_placed_elsewhere_is_refused_and_not_opened(running: Running, web: Web) -> None:
    async with running() as (node, call):
        await web.write("hana", boot="another")
        client = Client()
        assert (await call.join(client, "hana"))[1]["error"] == "no_space"
        assert node.engine.spaces == {}
        assert (await call("PUT", f"/spaces/{SPACE}"))[0] == 204, "it is about to move here"
        assert (await call.join(client, "hana"))[1]["error"] == "no_space", "but has not yet"
        await web.write("hana", publish=False, boot=node.boot)
        assert (await call.join(client, "hana"))[0] == 200, "it read the standing on its own"
        client.vanish()


async def test_a_space_that_went_elsewhere_without_a_move_is_closed(
    running: Running, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "REREAD_SECONDS", 0.02)
    async with running() as (node, call), Crowd() as crowd:
        await web.write("hana", boot=node.boot)
        client = await call.connect(crowd, "hana")
        await web.write("hana", publish=False, boot="another")
        await until(client.gone.is_set)
        assert node.engine.spaces == {}
        assert (await call.join(client, "hana"))[1]["error"] == "no_space"


async def test_a_malformed_standing_is_not_applied(
    running: Running, web: Web, caplog: pytest.LogCaptureFixture
) -> None:
    await web.write("hana")
    async with running() as (node, call):
        client = Client()
        await call.join(client, "hana")
        await web.redis.set(standing.KEY.format(space=SPACE), "{}")
        await web.redis.publish(standing.CHANNEL, f"{SPACE} 99")
        await until(lambda: "malformed" in caplog.text)
        assert node.engine.spaces[SPACE].standing.version == 1
        client.vanish()


@pytest.mark.parametrize("channel", [standing.CHANNEL, standing.LEFT, standing.FILES])
async def test_a_malformed_publication_is_left_out(
    running: Running, web: Web, caplog: pytest.LogCaptureFixture, channel: str
) -> None:
    await web.write("hana")
    async with running() as (node, call), Crowd() as crowd:
        client = await call.connect(crowd, "hana")
        await web.redis.publish(channel, b"\xff\xff")
        await until(lambda: f"publication on {channel} is malformed" in caplog.text)
        await web.redis.publish(standing.LEFT, f"{SPACE} hana")
        await until(client.gone.is_set)
        assert not node.failed


async def test_without_redis_the_node_runs_and_says_so(
    redis_url: str, tmp_path: Path, web: Web, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "RETRY_SECONDS", 0.01)
    node = Node(node_settings(redis_url=f"unix://{tmp_path}/no.sock", spool=tmp_path / "spool"), web)
    await node.start()
    await until(lambda: "no heartbeat" in caplog.text and "no standings" in caplog.text)
    await node.stop()
