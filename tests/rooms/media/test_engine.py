"""The whole way of the sound: real ICE, DTLS and SRTP over loopback, Opus in and out."""

import asyncio
import gc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rooms.media import ogg
from rooms.media.client import loudest_frequency, strength, tone_packets
from rooms.media.engine import Refused
from rooms.media.opus import FRAME, SAMPLE_RATE, Decoder
from rooms.media.peer import Peer
from tests.rooms.media.conftest import QUIET, SPACE, World, until

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


async def test_a_silent_space_costs_next_to_nothing(world: World) -> None:
    world.stand("hana")
    hana, lior = await world.join("hana"), await world.join("lior")
    world.run(10.0)
    assert lior.heard.packets < 40  # of 500 ticks
    assert world.is_silent(lior, 0.5)
    hana.speak(tone_packets(A))
    world.run(2.0)
    assert strength(lior.heard.pcm(1.0), A) > 0.1
    assert lior.heard.lost == lior.heard.malformed == 0


async def test_silence_is_told_of_often_enough_and_takes_its_time(world: World) -> None:
    world.stand("hana")
    world.engine.config = replace(world.engine.config, long_above=0.3)
    hana, short = await world.join("hana"), await world.join("short")
    world.engine.load = 0.5
    long = await world.join("long")
    hana.speak(tone_packets(A))
    world.run(1.2)
    hana.speak(())
    for _ in range(10):
        before = [short.heard.packets, long.heard.packets]
        world.run(0.5)
        assert short.heard.packets > before[0]
        assert long.heard.packets > before[1]
    hana.speak(tone_packets(B))
    world.run(1.2)
    for listener in (short, long):
        assert listener.heard.packets < 200  # of 370 ticks
        assert listener.heard.lost == 0
        assert len(listener.heard.pcm()) == pytest.approx((1.2 + 5.0 + 1.2) * SAMPLE_RATE, abs=3 * FRAME)
        assert strength(listener.heard.pcm()[SAMPLE_RATE // 2 : SAMPLE_RATE], A) > 0.1
        assert abs(listener.heard.pcm()[3 * SAMPLE_RATE : 6 * SAMPLE_RATE]).max() <= QUIET
        assert strength(listener.heard.pcm(0.5), B) > 0.1


async def test_whoever_comes_into_silence_hears_of_it_at_once(world: World) -> None:
    world.stand("hana")
    await world.join("hana")
    world.run(1.05)
    lior = await world.join("lior")
    world.run(0.02)
    assert lior.heard.packets == 1


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
    assert strength(lior.heard.pcm(0.5), B) > 0.1


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


async def test_removed_peer_is_dropped_and_stays_out(world: World) -> None:
    world.stand("hana")
    old_grant = world.grant("dee")
    dee = await world.join("dee", old_grant)
    world.run(0.2)
    world.stand("hana", removed=("dee",))
    received = dee.heard.packets
    await until(dee.gone.is_set)
    world.run(0.5)
    assert dee.heard.packets == received
    with pytest.raises(Refused, match="removed") as refusal:
        world.engine.join(SPACE, old_grant, dee.offer())
    assert refusal.value.code == "refused"
    assert world.engine.peers == 0
    assert ("dee", "gone") in (await world.notices()).states


async def test_end_of_a_space_drops_everybody(world: World) -> None:
    world.stand("hana")
    hana = await world.join("hana")
    world.stand("hana", ended=True)
    await until(hana.gone.is_set)
    assert world.engine.spaces == {}
    assert len(world.engine.fanout) == 0
    with pytest.raises(Refused) as refusal:
        world.engine.join(SPACE, world.grant("hana"), hana.offer())
    assert refusal.value.code == "no_space"


async def test_older_standing_changes_nothing(world: World) -> None:
    old = world.stand("hana")
    world.stand("hana", removed=("dee",))
    assert not world.engine.apply(old)
    assert world.engine.spaces[SPACE].standing.removed == {"dee"}


async def test_a_second_connection_replaces_the_first(world: World) -> None:
    world.stand("hana")
    first = await world.join("hana")
    second = await world.join("hana")
    await until(first.gone.is_set)
    world.run(0.2)
    assert second.heard.packets == 10
    assert world.engine.peers == 1
    assert ("hana", "gone") not in (await world.notices()).states


async def test_rows_stay_right_when_somebody_leaves(world: World) -> None:
    world.stand("hana")
    hana, sol, lior = [await world.join(name) for name in ("hana", "sol", "lior")]
    hana.speak(tone_packets(A))
    world.run(1.0)
    world.engine.leave(SPACE, "sol")
    world.run(1.0)
    assert lior.heard.lost == 0
    assert lior.heard.packets == 100
    assert strength(lior.heard.pcm(0.5), A) > 0.1
    assert sol.heard.packets == 50


@pytest.mark.parametrize(
    ("space", "age", "reason"),
    [(SPACE, 31.0, "expired"), ("another", 0.0, "another Space")],
)
async def test_grant_that_does_not_fit_is_refused(world: World, space: str, age: float, reason: str) -> None:
    world.stand("hana")
    with pytest.raises(Refused, match=reason) as refusal:
        world.engine.join(SPACE, world.grant("dee", space, age), "v=0")
    assert refusal.value.code == "refused"


async def test_bad_offer_leaves_no_peer(world: World) -> None:
    world.stand("hana")
    with pytest.raises(Refused) as refusal:
        world.engine.join(SPACE, world.grant("hana"), "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n")
    assert refusal.value.code == "bad_sdp"
    assert world.engine.peers == 0


async def test_full_node_refuses(world: World) -> None:
    world.stand("hana")
    world.engine.config = type(world.engine.config)(world.engine.config.secret, capacity=1)
    hana = await world.join("hana")
    with pytest.raises(Refused) as refusal:
        world.engine.join(SPACE, world.grant("lior"), hana.offer())
    assert refusal.value.code == "full"


async def test_peer_that_vanishes_is_gone_after_thirty_seconds(world: World) -> None:
    world.stand("hana")
    hana, lior = await world.join("hana"), await world.join("lior")
    lior.vanish()
    world.run(29.0)
    assert "lior" in world.engine.spaces[SPACE].peers
    world.run(3.0)
    assert "lior" not in world.engine.spaces[SPACE].peers
    assert hana.heard.lost == 0
    assert ("lior", "gone") in (await world.notices()).states


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


async def test_the_mix_is_not_kept_where_nobody_hears_it(world: World) -> None:
    world.stand("hana")
    hana = await world.join("hana")
    hana.speak(tone_packets(A))
    world.run(1.0)
    world.engine.leave(SPACE, "hana")
    received = hana.heard.packets
    world.run(20.0)
    world.stand("hana", ended=True)
    assert [chunk.duration_ms for chunk in world.chunks if chunk.turn is None] == [pytest.approx(1000, abs=60)]
    assert hana.heard.packets == received


async def test_a_space_in_which_nobody_talks_keeps_nothing(world: World) -> None:
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


async def test_a_silent_space_rests_and_wakes_at_the_first_packet(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.stand("hana")
    hana, lior = await world.join("hana"), await world.join("lior")
    hana.speak(tone_packets(A))
    world.run(1.0)
    hana.speak(())
    world.run(10.0)
    assert (await world.notices()).level_notes[-1] == {"hana": 0}
    space = world.engine.spaces[SPACE]
    worked: list[float] = []
    work = space._work

    def noted(now: float, missed: int) -> None:
        worked.append(now)
        work(now, missed)

    monkeypatch.setattr(space, "_work", noted)
    before = lior.heard.packets
    world.run(2.0)
    assert worked == []
    assert lior.heard.packets - before == 5
    hana.speak(tone_packets(B))
    world.run(0.4)
    assert len(worked) >= 19
    assert strength(lior.heard.pcm(0.2), B) > 0.1
    assert lior.heard.lost == lior.heard.malformed == 0


async def test_a_space_without_peers_is_forgotten_and_comes_back_with_its_standing(world: World) -> None:
    standing = world.stand("hana")
    await world.join("hana")
    world.run(70.0)
    assert SPACE in world.engine.spaces
    world.engine.leave(SPACE, "hana")
    world.run(62.0)
    assert world.engine.spaces == {}
    assert world.engine.apply(standing)


async def test_nothing_is_kept_where_nothing_is_recorded(world: World) -> None:
    world.stand("hana", recorded=False)
    hana = await world.join("hana")
    hana.speak(tone_packets(A))
    world.run(1.0)
    world.stand("hana", ended=True)
    assert world.chunks == []


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


async def come_and_go(world: World, rounds: int) -> None:
    """Let peers join and leave in every way there is."""
    for number in range(rounds):
        guest = await world.join("dee", decode=False)
        world.run(0.04)
        if number % 3 == 0:
            world.engine.leave(SPACE, "dee")
        elif number % 3 == 1:
            await guest.close()
            await until(lambda: world.engine.peers == 1)
    world.engine.leave(SPACE, "dee")
    for client in world.clients[1:]:
        await client.close()
    del world.clients[1:]
    await until(lambda: not world.engine._closing)
    await world.notices()
    gc.collect()


def held(world: World) -> tuple[int, ...]:
    """How much of everything that a peer needs there is."""
    engine = world.engine
    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    peers = sum(type(thing) is Peer for thing in gc.get_objects())
    return engine.peers, len(engine.fanout), len(engine.ice._by_address), peers, descriptors, len(asyncio.all_tasks())


@pytest.mark.parametrize("rounds", [30, pytest.param(2000, marks=pytest.mark.proof)])
async def test_who_came_and_went_leaves_nothing_behind(world: World, rounds: int) -> None:
    world.stand("hana", "dee")
    await world.join("hana")
    await come_and_go(world, 3)
    before = held(world)
    await come_and_go(world, rounds)
    assert held(world) == before
