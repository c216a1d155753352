"""Silence: signalled and not sent, at next to no cost, and over with the first packet."""

from dataclasses import replace

import pytest

from rooms.media.client.tones import tone_packets
from rooms.media.units import FRAME, SAMPLE_RATE
from tests.rig.sound.measures import strength
from tests.rooms.media.conftest import QUIET, SPACE, World

A, B = 440.0, 1000.0


async def test_a_silent_space_costs_next_to_nothing(world: World) -> None:
    world.stand("hana")
    hana, lior = await world.join("hana"), await world.join("lior")
    world.run(10.0)
    assert lior.received.packets < 40  # of 500 ticks
    assert world.is_silent(lior, 0.5)
    hana.speak(tone_packets(A))
    world.run(2.0)
    assert strength(lior.received.pcm(1.0), A) > 0.1
    assert lior.received.lost == lior.received.malformed == 0


async def test_silence_is_signalled_often_enough_and_takes_its_time(world: World) -> None:
    world.stand("hana")
    world.engine.settings = replace(world.engine.settings, long_above=0.3)
    hana, short = await world.join("hana"), await world.join("short")
    world.engine.load = 0.5
    long = await world.join("long")
    hana.speak(tone_packets(A))
    world.run(1.2)
    hana.speak(())
    for _ in range(10):
        before = [short.received.packets, long.received.packets]
        world.run(0.5)
        assert short.received.packets > before[0]
        assert long.received.packets > before[1]
    hana.speak(tone_packets(B))
    world.run(1.2)
    for listener in (short, long):
        assert listener.received.packets < 200  # of 370 ticks
        assert listener.received.lost == 0
        assert len(listener.received.pcm()) == pytest.approx((1.2 + 5.0 + 1.2) * SAMPLE_RATE, abs=3 * FRAME)
        assert strength(listener.received.pcm()[SAMPLE_RATE // 2 : SAMPLE_RATE], A) > 0.1
        assert abs(listener.received.pcm()[3 * SAMPLE_RATE : 6 * SAMPLE_RATE]).max() <= QUIET
        assert strength(listener.received.pcm(0.5), B) > 0.1


async def test_a_newcomer_gets_a_packet_of_silence_at_once(world: World) -> None:
    world.stand("hana")
    await world.join("hana")
    world.run(1.05)
    lior = await world.join("lior")
    world.run(0.02)
    assert lior.received.packets == 1


async def test_the_end_of_a_microphone_is_silence_and_not_loss(world: World) -> None:
    world.stand("hana")
    hana, lior = await world.join("hana"), await world.join("lior")
    hana.speak(tone_packets(A))
    world.run(1.0)
    hana.speak(())
    hana.send_goodbye()
    world.run(1.0)
    voice = world.engine.spaces[SPACE]._speakers["hana"].voice
    assert voice is not None
    assert (voice.jitter.concealed, voice.jitter.lost) == (0, 0)
    assert world.is_silent(lior, 0.3)
    hana.speak(tone_packets(B))
    world.run(1.0)
    assert strength(lior.received.pcm(0.5), B) > 0.1


async def test_a_silent_space_rests_and_wakes_at_the_first_packet(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.stand("hana")
    hana, lior = await world.join("hana"), await world.join("lior")
    hana.speak(tone_packets(A))
    world.run(1.0)
    hana.speak(())
    world.run(10.0)
    assert world.levels[-1] == {"hana": 0}
    space = world.engine.spaces[SPACE]
    worked: list[float] = []
    work = space._work

    def noted(now: float, missed: int) -> None:
        worked.append(now)
        work(now, missed)

    monkeypatch.setattr(space, "_work", noted)
    before = lior.received.packets
    world.run(2.0)
    assert worked == []
    assert lior.received.packets - before == 5
    hana.speak(tone_packets(B))
    world.run(0.4)
    assert len(worked) >= 19
    assert strength(lior.received.pcm(0.2), B) > 0.1
    assert lior.received.lost == lior.received.malformed == 0
