"""The whole way of the sound: real ICE, DTLS and SRTP over loopback, Opus in and out."""

from dataclasses import replace

import pytest

from rooms.media.client import loudest_frequency, strength, tone_packets
from tests.rooms.media.conftest import SPACE, World

A, B = 440.0, 1000.0


async def test_listener_hears_the_tone_of_the_host(world: World) -> None:
    world.stand("hana")
    hana, lior = await world.join("hana"), await world.join("lior")
    hana.speak(tone_packets(A))
    world.run(2.0)
    assert abs(loudest_frequency(lior.heard.pcm(1.0)) - A) < 3
    assert 0.15 < strength(lior.heard.pcm(1.0), A) < 0.35
    assert lior.heard.lost == 0


async def test_the_cheapest_of_the_good_ciphers_is_agreed_on(world: World) -> None:
    world.stand("hana")
    await world.join("hana")
    connection = world.peer("hana").session._transport._ssl
    assert connection is not None
    assert connection.get_selected_srtp_profile() == b"SRTP_AEAD_AES_128_GCM"


async def test_everybody_gets_a_packet_in_every_tick_with_something_to_hear(world: World) -> None:
    world.stand("hana")
    hana, lior = await world.join("hana"), await world.join("lior")
    hana.speak(tone_packets(A))
    world.run(2.0)
    assert lior.heard.packets == hana.heard.packets == 100
    assert lior.heard.malformed == hana.heard.malformed == 0


async def test_listeners_of_a_loaded_node_get_long_packets_and_speakers_short_ones(world: World) -> None:
    world.stand("hana")
    world.engine.config = replace(world.engine.config, long_above=0.3)
    before, hana = await world.join("before"), await world.join("hana")
    world.engine.load = 0.5
    lior, sol = await world.join("lior"), await world.join("sol")
    again = await world.join("hana")
    again.speak(tone_packets(A))
    world.run(1.2)
    assert (before.heard.packets, again.heard.packets) == (60, 60)
    assert (lior.heard.packets, sol.heard.packets) == (20, 20)
    assert abs(loudest_frequency(lior.heard.pcm(0.6)) - A) < 4
    world.stand("hana", "sol")
    world.run(1.2)
    assert (lior.heard.packets, sol.heard.packets) == (40, 80)
    assert len(sol.heard.pcm()) == len(before.heard.pcm())
    assert sol.heard.lost == lior.heard.lost == 0
    assert hana.gone.is_set()


async def test_the_encoder_prepares_for_the_loss_that_listeners_report(world: World) -> None:
    world.stand("hana")
    hana, lior = await world.join("hana"), await world.join("lior")
    hana.speak(tone_packets(A))
    world.run(5.1)
    lior.send_report(0.2)
    world.run(1.0)
    assert world.engine.spaces[SPACE].stats["encoder_step"] == 3
    lior.send_report(0.0)
    world.run(31.0)
    assert world.engine.spaces[SPACE].stats["encoder_step"] == 0


async def test_voices_hear_each_other_and_not_themselves(world: World) -> None:
    world.stand("hana", "sol")
    hana, sol, lior = [await world.join(name) for name in ("hana", "sol", "lior")]
    hana.speak(tone_packets(A))
    sol.speak(tone_packets(B))
    world.run(3.0)
    assert strength(lior.heard.pcm(1.0), A) > 0.1
    assert strength(lior.heard.pcm(1.0), B) > 0.1
    assert strength(hana.heard.pcm(1.0), B) > 0.1
    assert strength(hana.heard.pcm(1.0), A) < 0.002
    assert strength(sol.heard.pcm(1.0), A) > 0.1
    assert strength(sol.heard.pcm(1.0), B) < 0.002


async def test_listener_is_promoted_without_renegotiation(world: World) -> None:
    world.stand("hana")
    hana, sol = await world.join("hana"), await world.join("sol")
    sol.speak(tone_packets(B))
    world.run(1.0)
    assert world.is_silent(hana, 0.5)
    assert world.engine.spaces[SPACE].drops["not-a-voice"] == 50
    world.stand("hana", "sol")
    world.run(1.0)
    assert strength(hana.heard.pcm(0.5), B) > 0.1


async def test_mute_silences_at_once_and_unmute_brings_back(world: World) -> None:
    world.stand("hana")
    hana, lior = await world.join("hana"), await world.join("lior")
    hana.speak(tone_packets(A))
    world.run(1.0)
    world.stand("hana", muted=("hana",))
    world.run(0.5)
    assert world.is_silent(lior, 0.3)
    world.stand("hana")
    world.run(1.0)
    assert strength(lior.heard.pcm(0.5), A) > 0.1


async def test_step_down_silences(world: World) -> None:
    world.stand("hana", "sol")
    sol, lior = await world.join("sol"), await world.join("lior")
    sol.speak(tone_packets(B))
    world.run(1.0)
    world.stand("hana")
    world.run(0.5)
    assert world.is_silent(lior, 0.3)


async def test_older_standing_changes_nothing(world: World) -> None:
    old = world.stand("hana")
    world.stand("hana", removed=("dee",))
    assert not world.engine.apply(old)
    assert world.engine.spaces[SPACE].standing.removed == {"dee"}


async def test_levels_are_told_five_times_a_second_and_once_more_as_zero(world: World) -> None:
    world.stand("hana", "sol")
    hana = await world.join("hana")
    world.run(1.0)
    assert (await world.notices()).level_notes == []
    hana.speak(tone_packets(A, 1.0, 0.3))
    world.run(1.0)
    loud = (await world.notices()).level_notes
    assert len(loud) == 5
    assert 70 < loud[-1]["hana"] < 85  # -13.5 dBFS
    assert loud[-1]["sol"] == 0
    hana.speak(())
    world.run(2.0)
    notes = world.outside.level_notes if await world.notices() else []
    assert notes[-1] == {"hana": 0, "sol": 0}
    assert len(notes) < 10


async def test_twelve_loud_voices_stay_within_full_scale(world: World) -> None:
    names = [f"voice-{number}" for number in range(12)]
    world.stand(*names)
    lior = await world.join("lior")
    for number, name in enumerate(names):
        client = await world.join(name, decode=False)
        client.speak(tone_packets(300.0 + 50 * number, 1.0, 0.9))
    world.run(2.0)
    sound = lior.heard.pcm(1.0)
    assert abs(sound.astype(int)).max() <= 32767
    assert min(strength(sound, 300.0 + 50 * number) for number in range(12)) > 0.02


async def test_ticks_that_were_slept_through_are_left_out(world: World) -> None:
    world.stand("hana")
    hana, lior = await world.join("hana"), await world.join("lior")
    hana.speak(tone_packets(A))
    world.run(1.0)
    for _ in range(25):  # the node sleeps, the speaker does not
        world.now += 0.02
        hana.tick(world.now)
    world.engine.read()
    world.engine.tick(world.now, missed=24)
    lior.read()
    assert lior.heard.packets == 51
    world.run(1.0)
    assert strength(lior.heard.pcm(0.5), A) > 0.1
    voice = world.engine.spaces[SPACE]._speakers["hana"].voice
    assert voice is not None
    assert voice.jitter.depth(world.now) < 0.1


async def test_listeners_are_told_the_time_and_tell_how_they_hear(world: World) -> None:
    world.stand("hana")
    hana, lior = await world.join("hana"), await world.join("lior")
    hana.speak(tone_packets(A))
    world.run(5.1)
    report = lior.heard.reports[-1]
    assert report.ssrc == world.peer("lior").out_ssrc
    assert 200 < report.sender_info.packet_count <= 255
    assert 0 <= world.now - report.sender_info.ntp_timestamp / 2**32 < 5.1
    lior.send_report(0.25, jitter=480)
    world.step()
    reception = world.peer("lior").reception
    assert reception is not None
    assert (reception.loss, reception.jitter_ms) == (0.25, 10.0)
    assert reception.round_trip_ms == pytest.approx(20.0, abs=0.1), "the next tick has the answer"
    assert world.engine.spaces[SPACE].stats["receptions"] == {"lior": reception._asdict()}
