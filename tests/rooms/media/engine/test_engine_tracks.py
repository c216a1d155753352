"""What the engine keeps of a Space: a track for each turn at the microphone, and the mix."""

import numpy as np
import pytest

from rooms.media.capture import ogg
from rooms.media.client.tones import tone_packets
from rooms.media.sound.opus import Decoder
from rooms.media.units import FRAME, SAMPLE_RATE
from tests.rig.sound.measures import strength
from tests.rooms.media.conftest import QUIET, SPACE, World

A = 440.0


async def test_track_holds_the_turn_at_its_time_and_nothing_of_the_muted(world: World) -> None:
    world.stand("hana")
    hana = await world.join("hana")
    world.run(1.0)
    hana.speak(tone_packets(A))
    world.run(2.0)
    world.stand("hana", muted=("hana",))
    world.run(2.0)
    world.stand("hana")
    world.run(1.0)
    world.stand("hana", ended=True)
    track = [chunk for chunk in world.chunks if chunk.turn == "turn-of-hana"]
    assert [chunk.participant for chunk in track] == ["hana", "hana"]
    first, second = track
    assert 1000 <= first.start_ms < 1100
    assert first.duration_ms == pytest.approx(2000, abs=80)
    assert 5000 <= second.start_ms < 5100
    assert second.duration_ms == pytest.approx(1000, abs=80)
    assert len(ogg.read(first.data).packets) * 20 == first.duration_ms


async def test_mix_is_kept_while_there_are_voices(world: World) -> None:
    world.stand()
    world.run(1.0)
    world.stand("hana")
    hana = await world.join("hana")
    hana.speak(tone_packets(A))
    world.run(7.0)
    world.stand("hana", ended=True)
    mix = [chunk for chunk in world.chunks if chunk.turn is None]
    assert [chunk.duration_ms for chunk in mix] == [5000, pytest.approx(2000, abs=60)]
    assert mix[1].start_ms == mix[0].start_ms + 5000
    assert mix[0].start_ms == pytest.approx(1000, abs=60)


async def test_the_mix_is_not_kept_without_listeners(world: World) -> None:
    world.stand("hana")
    hana = await world.join("hana")
    hana.speak(tone_packets(A))
    world.run(1.0)
    world.engine.leave(SPACE, "hana")
    received = hana.received.packets
    world.run(20.0)
    world.stand("hana", ended=True)
    assert [chunk.duration_ms for chunk in world.chunks if chunk.turn is None] == [pytest.approx(1000, abs=60)]
    assert hana.received.packets == received


async def test_a_space_in_which_no_one_talks_keeps_nothing(world: World) -> None:
    world.stand("hana")
    await world.join("hana")
    world.run(7.0)
    await world.join("lior")
    world.run(7.0)
    world.stand("hana", ended=True)
    assert world.chunks == []


async def test_silence_is_a_gap_in_the_mix(world: World) -> None:
    world.stand("hana")
    hana = await world.join("hana")
    for _ in range(2):
        hana.speak(tone_packets(A))
        world.run(1.0)
        hana.speak(())
        world.run(19.0)
    mix = [chunk for chunk in world.chunks if chunk.turn is None]
    assert [chunk.start_ms for chunk in mix] == [pytest.approx(0, abs=100), pytest.approx(20_000, abs=100)]
    for chunk in mix:
        packets = ogg.read(chunk.data).packets
        assert 1000 < chunk.duration_ms < 2200  # until the voice has faded, and the encoder with it
        assert len(packets) * 20 == chunk.duration_ms
        decoder = Decoder()
        sound = np.concatenate([decoder.decode(packet.payload) for packet in packets])
        assert strength(sound[SAMPLE_RATE // 4 : SAMPLE_RATE // 2], A) > 0.1
        assert abs(sound[-FRAME:]).max() <= QUIET


async def test_a_short_silence_is_a_gap_within_a_chunk(world: World) -> None:
    world.stand("hana")
    hana = await world.join("hana")
    for seconds in (0.5, 2.5, 1.0):
        hana.speak(() if seconds == 2.5 else tone_packets(A))
        world.run(seconds)
    world.stand("hana", ended=True)
    (chunk,) = [chunk for chunk in world.chunks if chunk.turn is None]
    assert chunk.duration_ms == pytest.approx(4000, abs=100)
    places = np.diff([packet.position for packet in ogg.read(chunk.data).packets])
    assert sorted(set(places))[0] == FRAME
    assert (places > FRAME).sum() == 1


async def test_a_space_that_is_not_recorded_keeps_nothing(world: World) -> None:
    world.stand("hana", recorded=False)
    hana = await world.join("hana")
    hana.speak(tone_packets(A))
    world.run(1.0)
    world.stand("hana", ended=True)
    assert world.chunks == []
