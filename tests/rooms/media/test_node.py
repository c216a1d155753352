"""A whole node in real time: its HTTP interface, and the chunks at its end."""

import asyncio
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from rooms.media.client.peer import Client, Crowd
from rooms.media.client.tones import tone_packets
from rooms.media.contract.grant import mint
from rooms.media.contract.keys import bearer
from rooms.media.node import Node
from tests.rig.media.settings import node_settings
from tests.rig.media.web import Running, Web
from tests.rooms.media.conftest import SECRET, SPACE, until


async def test_join_hear_and_leave(running: Running, web: Web) -> None:
    await web.write("hana")
    async with running() as (node, call), Crowd() as crowd:
        hana = await call.connect(crowd, "hana")
        lior = await call.connect(crowd, "lior", decode=True)
        hana.speak(tone_packets(440.0))
        await until(lambda: len(lior.received.sound) > 25 and lior.received.sound[-1].any())
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
    """The policy (docs/operating/nodes.md): one key for each start, never written, gone with the process."""
    await web.write("hana")
    keys = []
    for _ in range(2):
        async with running() as (node, call), Crowd() as crowd:
            hana = await call.connect(crowd, "hana")
            hana.speak(tone_packets(440.0))
            await until(lambda: node.engine.spaces[SPACE].levels)
            keys.append(private_octets(node))
    assert keys[0] != keys[1]
    outputs = [*written_below(tmp_path), *(chunk.data for chunk in web.chunks), repr(web.states).encode()]
    assert web.chunks
    assert not any(key in octets or b"PRIVATE KEY" in octets for key in keys for octets in outputs)


def written_below(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file()]


def private_octets(node: Node) -> bytes:
    """The secret number of the node's certificate, as it would stand in a file of any form."""
    number = node.engine.certificate._key.private_numbers().private_value
    return number.to_bytes(32, "big")


async def test_the_http_interface_refuses_without_the_secret(running: Running) -> None:
    async with running() as (_, call):
        peers = f"/spaces/{SPACE}/peers"
        asked = (("GET", "/health"), ("GET", "/metrics"), ("POST", peers), ("GET", peers), ("DELETE", f"{peers}/hana"))
        for method, path in asked:
            status, error = await call(method, path, secret="wrong")
            assert (status, error["error"]) == (401, "unauthorized")


async def test_health_is_of_the_ticks_that_were_asked_for(running: Running) -> None:
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
        headers = {"Authorization": bearer(SECRET)}
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


async def test_stopping_waits_for_spool_and_writer_at_the_same_time(
    running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = threading.Barrier(2)

    def wait(*_: object) -> None:
        together.wait(30)

    async with running(hls=tmp_path / "hls") as (node, _):
        stop, close = node.hls.stop if node.hls else wait, node.spool.close
        monkeypatch.setattr(node.spool, "close", wait)
        monkeypatch.setattr(node.hls, "stop", wait)
        await node.stop()
        stop()
        close()
    assert not together.broken


async def test_taken_ports_are_errors(running: Running, redis_url: str, tmp_path: Path, web: Web) -> None:
    async with running() as (node, _):
        with pytest.raises(OSError, match=f"UDP port {node.port.port}"):
            Node(node_settings(spool=tmp_path, port=node.port.port), web)
        port = int(node.url.rpartition(":")[2])
        second = Node(node_settings(redis_url=redis_url, spool=tmp_path, http_port=port), web)
        with pytest.raises(OSError, match="in use"):
            await second.start()


async def test_a_cancellation_that_gets_lost_is_repeated(running: Running, caplog: pytest.LogCaptureFixture) -> None:
    """As cancellations do that come while redis-py connects."""

    async def losing_the_first() -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.Event().wait()

    async with running() as (node, _):
        task = asyncio.create_task(losing_the_first())
        node._tasks.append(task)
        await asyncio.sleep(0)
        await node.stop()
    assert task.cancelled()
    assert "do not end" not in caplog.text


async def test_a_task_that_ignores_its_cancellation_does_not_hold_up_the_end(
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
