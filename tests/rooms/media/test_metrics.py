"""/metrics of a media node: what Prometheus reads is what happened, and what counts up never goes down."""

import asyncio

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from rooms.media import metrics
from rooms.media.client.tones import tone_packets
from rooms.media.clock import Ticker
from rooms.media.network.rtcp import Reception
from tests.rooms.media.conftest import SPACE, World

Samples = dict[tuple[str, str], float]


class Node:
    """The node that the metrics describe, with three chunks that wait."""

    class _Spool:
        waiting = 3

    def __init__(self, world: World) -> None:
        self.engine, self.spool, self.draining = world.engine, self._Spool(), False
        self.pieces_dropped = 2
        self._registry = metrics.registry(self)

    def read(self) -> Samples:
        """Every sample without the prefix: (name, value of its label) -> value."""
        families = text_string_to_metric_families(generate_latest(self._registry).decode())
        return {
            (one.name.removeprefix(metrics.PREFIX), "".join(one.labels.values())): one.value
            for family in families
            for one in family.samples
        }


@pytest.fixture
def node(world: World) -> Node:
    return Node(world)


async def test_an_idle_node_says_what_it_is(node: Node) -> None:
    found = node.read()
    for name, value in {"spaces": 0, "peers": 0, "connected": 0, "capacity": 20, "load": 0, "draining": 0}.items():
        assert found[name, ""] == value
    assert found["spool_files", ""] == 3
    assert found["pieces_dropped_total", ""] == 2
    assert found["process_resident_memory_bytes", ""] > 0
    assert not [name for name, label in found if name in {"loss_ratio", "tick_seconds"} and label]
    node.draining = True
    assert node.read()["draining", ""] == 1


async def test_peers_and_packets_are_counted(world: World, node: Node) -> None:
    world.stand("hana")
    hana, _ = await world.join("hana"), await world.join("lior")
    hana.speak(tone_packets(440.0))
    world.run(1.0)
    found = node.read()
    assert (found["spaces", ""], found["peers", ""], found["connected", ""]) == (1, 2, 2)
    assert found["joins_total", ""] == 2
    assert found["packets_sent_total", ""] == world.engine.fanout.sent >= 90
    assert found["packets_not_taken_total", ""] == 0
    assert found["packets_overflowed_total", ""] == 0
    assert found["voice_received_total", ""] == pytest.approx(50, abs=2)
    assert found["voice_lost_total", ""] == found["voice_late_total", ""] == 0


async def test_packets_that_the_kernel_does_not_take_are_counted(
    world: World, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.stand("hana")
    await world.join("hana")
    monkeypatch.setattr(world.port, "send_many", lambda headers: 0)
    world.run(0.1)
    assert node.read()["packets_not_taken_total", ""] > 0


async def test_drops_of_those_who_are_gone_stay_counted(world: World, node: Node) -> None:
    world.stand("hana")
    await world.join("hana")
    lior = await world.join("lior")
    lior.speak(tone_packets(440.0))
    world.run(1.0)
    world.peer("lior").drops["srtp"] += 7
    before = node.read()
    assert before["drops_total", "not-a-voice"] >= 48
    assert before["drops_total", "srtp"] == 7
    world.engine.leave(SPACE, "lior")
    assert node.read()["drops_total", "srtp"] == 7
    world.stand(ended=True)
    after = node.read()
    assert after["spaces", ""] == 0
    assert {cause: after["drops_total", cause] for cause in ("srtp", "not-a-voice")} == {
        cause: before["drops_total", cause] for cause in ("srtp", "not-a-voice")
    }


async def test_voices_that_are_over_stay_counted(world: World, node: Node) -> None:
    world.stand("hana", "sol")
    hana = await world.join("hana")
    hana.speak(tone_packets(440.0))
    world.run(1.0)
    counts = [node.read()["voice_received_total", ""]]
    world.stand("hana", "sol", muted=("hana",))
    counts.append(node.read()["voice_received_total", ""])
    world.stand("sol")
    counts.append(node.read()["voice_received_total", ""])
    world.stand(ended=True)
    counts.append(node.read()["voice_received_total", ""])
    assert counts == [pytest.approx(50, abs=2)] * 4
    assert len(set(counts)) == 1


async def test_the_reports_of_listeners_are_given_by_quantile(world: World, node: Node) -> None:
    world.stand("hana")
    for name, said in {
        "hana": Reception(0.0, 5.0, None),
        "lior": Reception(0.02, 15.0, 40.0),
        "sol": Reception(0.1, 25.0, 80.0),
    }.items():
        await world.join(name)
        world.peer(name).reception = said
    found = node.read()
    assert found["loss_ratio", "0.5"] == pytest.approx(0.02)
    assert 0.09 < found["loss_ratio", "0.99"] <= 0.1
    assert found["jitter_seconds", "0.5"] == pytest.approx(0.015)
    assert found["round_trip_seconds", "0.5"] == pytest.approx(0.06)


async def test_ticks_are_given_by_quantile(world: World, node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    ticker = Ticker(asyncio.get_running_loop(), world.engine.tick)
    ticker.durations.extend([0.001] * 90 + [0.02] * 10)
    ticker.delays.append(0.004)
    ticker.missed = 5
    monkeypatch.setattr(world.engine, "ticker", ticker)
    found = node.read()
    monkeypatch.undo()
    assert found["tick_seconds", "0.5"] == pytest.approx(0.001)
    assert found["tick_seconds", "0.99"] == pytest.approx(0.02)
    assert found["tick_late_seconds", "0.99"] == pytest.approx(0.004)
    assert found["ticks_missed_total", ""] == 5


async def test_all_names_are_ours_or_those_of_the_process(node: Node) -> None:
    families = [family.name for family in metrics.registry(node).collect()]
    assert all(name.startswith((metrics.PREFIX, "process_")) for name in families)
    assert len(families) == len(set(families))
