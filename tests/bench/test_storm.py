"""The flood is what it says it is, and those who listen meanwhile hear no less than before."""

import time

import numpy as np
import pytest

from bench import storm
from bench.rig import flood, machine, measure
from bench.rig.crowd import Crowd
from bench.rig.node import MediaNode
from bench.rig.sound.tones import faintest, tones
from rooms.media.client.tones import tone
from rooms.media.network.udp import UdpPort, unpack
from rooms.media.units import FRAME
from tests.rooms.media.conftest import World

LITTLE = {
    "quiet": storm.Phase(),
    "flood": storm.Phase(tuple(flood.CAUSES), 1000.0),
    "joins": storm.Phase(tuple(flood.KINDS), 500.0, newcomers=3),
}
HARDLY_FAINTER = 0.7  # of a tone that is encoded again and changes a little


@pytest.mark.parametrize("kind", flood.CAUSES)
async def test_each_kind_is_dropped_for_its_cause_and_listeners_lose_nothing(world: World, kind: str) -> None:
    world.stand("hana")
    hana, lior = await world.join("hana", decode=False), await world.join("lior")
    hana.speak(tones((400,))[0])
    strangers = flood.Flood(world.port.port, lior.fragments)
    strangers.choose((kind,))
    for _ in range(100):
        strangers.send(50)
        world.step()
    strangers.close()
    assert strangers.sent == 5000
    assert world.engine.ice.drops == {flood.CAUSES[kind]: 5000}
    assert world.port.overflowed == 0
    assert (lior.received.packets, lior.received.lost, lior.received.malformed) == (100, 0, 0)
    assert world.peer("hana").received == 100
    assert faintest(lior.received.pcm(1.0), (400,)) > HARDLY_FAINTER


async def test_the_generator_sends_what_was_asked_for_from_many_addresses() -> None:
    port, arrived = UdpPort("127.0.0.1"), []
    async with flood.Generator(port.port, ("node", "browser")) as generator:
        for kind in flood.CAUSES:
            start = time.monotonic()
            sent = await generator.flood(flood.FloodRequest((kind,), 5000.0, 0.1))
            passed = time.monotonic() - start
            packets = [packet for _ in range(50) for packet in port.receive()]
            assert len(packets) == sent.packets
            assert 0 < sent.packets <= 5000 * passed
            assert sent.packets <= sent.rate * passed
            arrived += packets
    port.close()
    assert len({unpack(address) for _, address in arrived}) > 20
    assert len({data for data, _ in arrived}) > len(flood.CAUSES) * 20


async def test_a_generator_that_ends_is_a_failure() -> None:
    port = UdpPort("127.0.0.1")
    async with flood.Generator(port.port, ("node", "browser")) as generator:
        with pytest.raises(machine.Failed, match="generator"):
            await generator.flood(flood.FloodRequest(("no such kind",), 1.0, 0.1))
    port.close()


@pytest.mark.alone
async def test_what_a_space_hears_in_a_little_storm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "SETTLE_SECONDS", 0.2)
    monkeypatch.setattr(storm, "TRIES", 1)
    async with MediaNode() as node, Crowd() as crowd, storm.Storm(node, crowd, listeners=3) as made:
        heard = {name: await made.pass_by(name, phase, 0.4) for name, phase in LITTLE.items()}
        kept = await made.archive()
    assert kept.turns == len(storm.HERTZ)
    for each in heard.values():
        assert each.received
        assert (each.lost_pct, each.broken, each.overflowed) == (0, 0, 0)
        assert each.dropped_pct == (None if each.phase == "quiet" else 100)
        assert 0 < each.faintest <= 1
    assert {name: each.joined for name, each in heard.items()} == {"quiet": 0, "flood": 0, "joins": 3}
    assert storm.rounded(heard["flood"].figures)["phase"] == "flood"


@pytest.mark.proof
async def test_floods_and_a_rush_of_joins_leave_300_listeners_unharmed() -> None:
    """Of 20,000 packets a second of each kind, 1,000 of wrong signatures, and 500 joins in 10 s among 2,000 others."""
    with machine.on_core(machine.cores()[1]):
        heard, kept = await storm.storm(storm.PHASES, storm.SECONDS, storm.LISTENERS)
    assert [each.phase for each in heard] == list(storm.PHASES)
    for each in heard:
        wanted = storm.PHASES[each.phase]
        assert each.rate >= 0.99 * wanted.rate, each
        assert (each.dropped_pct is None) if not wanted.kinds else (each.dropped_pct or 0) > 99.9, each
        assert each.overflowed == each.missed_ticks == each.voices_lost == each.broken == 0, each
        assert max(each.lost_pct, each.left_out_pct) < 0.1, each
        assert each.concealed_ms <= 0.001 * storm.SECONDS * 1000 * len(storm.HERTZ), each
        assert each.faintest > 0.5, each
        assert kept.missing(*each.time) < 0.001 * storm.SECONDS * len(storm.HERTZ), each
        assert each.tick_ms < 15, each
        assert each.late_ms < 15, each
        assert each.joined == wanted.newcomers, each


@pytest.mark.parametrize("offset", [0, FRAME // 2])
def test_a_hole_of_one_packet_is_heard(offset: int) -> None:
    sound = tone(400.0) + tone(650.0)
    assert faintest(sound, (400, 650)) == pytest.approx(1, abs=0.01)
    sound[10 * FRAME + offset : 11 * FRAME + offset] = 0
    assert faintest(sound, (400, 650)) <= 0.51
    assert faintest(np.zeros(FRAME, np.int16), (400,)) == faintest(sound[:0], (400,)) == 0
