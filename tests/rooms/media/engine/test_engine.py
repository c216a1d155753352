"""The whole way of the sound: real ICE, DTLS and SRTP over loopback, Opus in and out."""

from dataclasses import replace

import numpy as np
import pytest
from aiortc.rtp import RtcpSrPacket

from rooms.media.client.peer import Client
from rooms.media.client.tones import tone_packets
from rooms.media.listeners.reports import REPORT_ROUNDS, REPORT_TICKS
from rooms.media.network import rtcp
from rooms.media.network.quality import STALE_SECONDS
from rooms.media.sound.adaptation import CALM_REPORTS
from rooms.media.sound.mixer import FULL_SCALE
from rooms.media.sound.opus import Pcm
from rooms.media.sound.voice import rms
from rooms.media.units import SAMPLE_RATE
from tests.rig.sound.measures import PIECE, loudest_frequency, strength
from tests.rooms.media.conftest import SPACE, TICK, World

A, B = 440.0, 1000.0
LOUD = 3000  # of 32768


async def test_listener_hears_the_tone_of_the_host(world: World) -> None:
    world.stand("hana")
    hana, lior = await world.join("hana"), await world.join("lior")
    hana.speak(tone_packets(A))
    world.run(2.0)
    assert abs(loudest_frequency(lior.received.pcm(1.0)) - A) < 3
    assert 0.15 < strength(lior.received.pcm(1.0), A) < 0.35
    assert lior.received.lost == 0


async def test_the_cheapest_of_the_good_ciphers_is_agreed_on(world: World) -> None:
    world.stand("hana")
    await world.join("hana")
    connection = world.peer("hana").session._transport._ssl
    assert connection is not None
    assert connection.get_selected_srtp_profile() == b"SRTP_AEAD_AES_128_GCM"


async def test_every_listener_gets_a_packet_in_every_tick_with_something_to_hear(world: World) -> None:
    world.stand("hana")
    hana, lior = await world.join("hana"), await world.join("lior")
    hana.speak(tone_packets(A))
    world.run(2.0)
    assert lior.received.packets == hana.received.packets == 100
    assert lior.received.malformed == hana.received.malformed == 0


async def test_listeners_of_a_loaded_node_get_long_packets_and_speakers_short_ones(world: World) -> None:
    world.stand("hana")
    world.engine.settings = replace(world.engine.settings, long_above=0.3)
    before, hana = await world.join("before"), await world.join("hana")
    world.engine.load = 0.5
    lior, sol = await world.join("lior"), await world.join("sol")
    again = await world.join("hana")
    again.speak(tone_packets(A))
    world.run(1.2)
    assert (before.received.packets, again.received.packets) == (60, 60)
    assert (lior.received.packets, sol.received.packets) == (20, 20)
    assert abs(loudest_frequency(lior.received.pcm(0.6)) - A) < 4
    world.stand("hana", "sol")
    world.run(1.2)
    assert (lior.received.packets, sol.received.packets) == (40, 80)
    assert len(sol.received.pcm()) == len(before.received.pcm())
    assert sol.received.lost == lior.received.lost == 0
    assert hana.gone.is_set()


async def test_the_encoder_prepares_for_the_loss_that_listeners_report(world: World) -> None:
    world.stand("hana")
    hana, lior = await world.join("hana"), await world.join("lior")
    hana.speak(tone_packets(A))
    world.run(5.1)
    lior.send_report(0.2)
    world.run(1.0)
    assert world.engine.spaces[SPACE].held.encoder_step == 3
    lior.send_report(0.0)
    world.run(31.0)
    assert world.engine.spaces[SPACE].held.encoder_step == 0


async def test_old_reports_no_longer_count(world: World) -> None:
    """That holds for listeners and for speakers: their checks go on, their reports have stopped."""
    world.stand("hana", "sol")
    hana, sol, lior = [await world.join(name, decode=False) for name in ("hana", "sol", "lior")]
    hana.speak(tone_packets(A))
    sol.speak(tone_packets(B))
    world.run(10.1)
    assert report(world, {hana: 0.2, sol: 0.2}, [lior], 0.2) == {"all": 3, "hana": 3, "sol": 3}
    world.run(STALE_SECONDS - 2.0)
    assert steps(world) == {"all": 3, "hana": 3, "sol": 3}
    world.run(3 * CALM_REPORTS + 3.0)
    assert steps(world) == {"all": 0, "hana": 0, "sol": 0}


async def test_voices_hear_each_other_and_not_themselves(world: World) -> None:
    world.stand("hana", "sol")
    hana, sol, lior = [await world.join(name) for name in ("hana", "sol", "lior")]
    hana.speak(tone_packets(A))
    sol.speak(tone_packets(B))
    world.run(3.0)
    assert strength(lior.received.pcm(1.0), A) > 0.1
    assert strength(lior.received.pcm(1.0), B) > 0.1
    assert strength(hana.received.pcm(1.0), B) > 0.1
    assert strength(hana.received.pcm(1.0), A) < 0.002
    assert strength(sol.received.pcm(1.0), A) > 0.1
    assert strength(sol.received.pcm(1.0), B) < 0.002


async def test_listener_is_promoted_without_renegotiation(world: World) -> None:
    world.stand("hana")
    hana, sol = await world.join("hana"), await world.join("sol")
    sol.speak(tone_packets(B))
    world.run(1.0)
    assert world.is_silent(hana, 0.5)
    assert world.engine.spaces[SPACE].drops["not-a-voice"] == 50
    world.stand("hana", "sol")
    world.run(1.0)
    assert strength(hana.received.pcm(0.5), B) > 0.1


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
    assert strength(lior.received.pcm(0.5), A) > 0.1


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


async def test_levels_are_sent_five_times_a_second_and_once_more_as_zero(world: World) -> None:
    world.stand("hana", "sol")
    hana = await world.join("hana")
    world.run(1.0)
    assert world.levels == []
    hana.speak(tone_packets(A, 1.0, 0.3))
    world.run(1.0)
    loud = world.levels
    assert len(loud) == 5
    assert 70 < loud[-1]["hana"] < 85  # -13.5 dBFS
    assert loud[-1]["sol"] == 0
    hana.speak(())
    world.run(2.0)
    notes = world.levels
    assert notes[-1] == {"hana": 0, "sol": 0}
    assert len(notes) < 10


async def test_twelve_loud_voices_are_all_heard(world: World) -> None:
    names = [f"voice-{number}" for number in range(12)]
    world.stand(*names)
    lior = await world.join("lior")
    for number, name in enumerate(names):
        client = await world.join(name, decode=False)
        client.speak(tone_packets(300.0 + 50 * number, 1.0, 0.9))
    world.run(2.0)
    sound = lior.received.pcm(1.0)
    assert min(strength(sound, 300.0 + 50 * number) for number in range(12)) > 0.02


async def test_twelve_voices_that_begin_together_at_full_scale_are_heard_undistorted(world: World) -> None:
    """For listeners and speakers, from the first moment on: sound that wraps or is cut off is no pure tone any more."""
    names = [f"voice-{number}" for number in range(12)]
    world.stand(*names)
    lior = await world.join("lior")
    voices = [await world.join(name, decode=name == names[0]) for name in names]
    for voice in voices:
        voice.speak(tone_packets(A, 1.0, 1.0))
    world.run(1.0)
    for hearer in (lior, voices[0]):
        sound = hearer.received.pcm()
        begun = sound[np.argmax(abs(sound.astype(int)) > LOUD) :]
        pure = [strength(piece, A) * FULL_SCALE / np.sqrt(2) / rms(piece) for piece in pieces(begun)]
        print(f"share of the tone in what is heard, at least {min(pure):.3f} of {len(pure)} pieces")
        assert len(pure) > 15
        assert min(pure) > 0.97


def pieces(sound: Pcm) -> Pcm:
    """The sound in pieces of 50 ms."""
    return sound[: len(sound) // PIECE * PIECE].reshape(-1, PIECE)


async def test_a_soft_and_a_loud_voice_meet(world: World) -> None:
    world.stand("hana", "sol")
    hana, sol, lior = await world.join("hana"), await world.join("sol"), await world.join("lior")
    hana.speak(tone_packets(A, 1.0, 0.3))
    sol.speak(tone_packets(B, 1.0, 0.03))
    world.run(1.0)
    first = apart(lior.received.pcm(0.8))
    world.run(8.0)
    last = apart(lior.received.pcm(0.8))
    print(f"{first:.1f} dB apart at first, {last:.1f} dB at last")
    assert first > 15
    assert last == pytest.approx(1.5, abs=1), "the soft one would need more than the 10 dB that it gets"


def apart(sound: Pcm) -> float:
    """By how many dB the first voice is louder than the second."""
    return float(20 * np.log10(strength(sound, A) / strength(sound, B)))


async def test_speakers_get_what_their_reports_ask_for_and_listeners_what_most_of_theirs_do(world: World) -> None:
    world.stand("hana", "sol")
    hana, sol = await world.join("hana"), await world.join("sol")
    listeners = [await world.join(f"listener-{number}", decode=False) for number in range(9)]
    hana.speak(tone_packets(A))
    sol.speak(tone_packets(B))
    world.run(5.1)
    assert report(world, {hana: 0.2, sol: 0.0}, listeners, 0.0) == {"all": 0, "hana": 3, "sol": 0}
    assert report(world, {hana: 0.2, sol: 0.0}, listeners, 0.05) == {"all": 2, "hana": 3, "sol": 0}


def report(world: World, talking: dict[Client, float], listeners: list[Client], loss: float) -> dict[str, int]:
    """Let each listener report a loss. Returns the loss that the encoders prepare for."""
    for client in (*talking, *listeners):
        client.send_report(talking.get(client, loss))
    world.run(1.0)
    return steps(world)


def steps(world: World) -> dict[str, int]:
    """The steps of the encoders: that of the shared mix, and those of speakers."""
    space = world.engine.spaces[SPACE]
    return {"all": space._encoder.step} | {name: one.step for name, one in space._minus._encoders.items()}


async def test_ticks_during_which_the_process_slept_are_left_out(world: World) -> None:
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
    assert lior.received.packets == 51
    world.run(1.0)
    assert strength(lior.received.pcm(0.5), A) > 0.1
    voice = world.engine.spaces[SPACE]._speakers["hana"].voice
    assert voice is not None
    assert voice.jitter.depth(world.now) < 0.1


async def test_listeners_get_the_time_and_report_how_they_receive(world: World) -> None:
    world.stand("hana")
    hana, lior = await world.join("hana"), await world.join("lior")
    hana.speak(tone_packets(A))
    world.run(20.1)
    before, report = lior.received.reports[-2:]
    assert report.ssrc == world.peer("lior").out_ssrc
    assert report.sender_info.packet_count - before.sender_info.packet_count == REPORT_TICKS
    assert 0 <= world.now - report.sender_info.ntp_timestamp / 2**32 < 10.1
    lior.send_report(0.25, jitter=480)
    world.step()
    reception = world.peer("lior").reception
    assert reception is not None
    assert (reception.loss, reception.jitter_ms) == (0.25, 10.0)
    assert reception.round_trip_ms == pytest.approx(20.0, abs=0.1), "the next tick has the answer"
    assert world.engine.spaces[SPACE].held.receptions == {"lior": reception}


async def test_reports_leave_in_rounds_and_each_listener_gets_one_in_time(world: World) -> None:
    world.stand("hana")
    listeners = [await world.join(f"listener-{number}", decode=False) for number in range(5)]
    first, reported = world.engine._reports._ticks, dict[int, list[int]]()  # by SSRC: in which ticks
    for tick in range(first + 1, first + 2 * REPORT_TICKS + 1):
        world.step()
        for report in reports_of(*listeners):
            reported.setdefault(report.ssrc, []).append(tick)
    assert reported.keys() == {world.peer(f"listener-{number}").out_ssrc for number in range(5)}
    assert all(again - once == REPORT_TICKS for once, again in reported.values())
    assert not any(tick % (REPORT_TICKS // REPORT_ROUNDS) for ticks in reported.values() for tick in ticks)


async def test_a_report_tells_one_moment_in_both_times(world: World) -> None:
    """That is the moment at which the report leaves, however late the tick is."""
    world.stand("hana")
    hana, lior = await world.join("hana", decode=False), await world.join("lior", decode=False)
    hana.speak(tone_packets(A))
    due, reported = world.now, dict[int, set[int]]()  # by SSRC: RTP time without the samples that had passed by then
    for number in range(REPORT_TICKS + 50):
        due += TICK
        late(world, hana, due, number % 8 / 1000)
        for report in reports_of(hana, lior):
            assert report.sender_info.ntp_timestamp == rtcp.ntp(world.now)
            passed = round(world.now * SAMPLE_RATE)
            reported.setdefault(report.ssrc, set()).add((report.sender_info.rtp_timestamp - passed) % 2**32)
    zeros = [reported[world.peer(name).out_ssrc] for name in ("hana", "lior")]
    assert all(max(zero) - min(zero) <= 1 for zero in zeros), zeros


async def test_a_report_that_came_while_the_tick_was_late_is_answered_as_one_that_did_not_wait(world: World) -> None:
    world.stand("hana")
    hana = await world.join("hana", decode=False)
    hana.speak(tone_packets(A))
    world.run(0.5)
    outgoing = hana._session.outgoing
    assert outgoing is not None
    world.engine._reports._ticks = REPORT_TICKS - 1  # the next tick is the one that reports to the first row
    hana.send_raw(outgoing.protect_rtcp(rtcp.sender_report(hana._ssrc, 1_790_000.25, 0, 25, 1000)))
    late(world, hana, world.now + TICK, 0.01)
    (block,) = reports_of(hana)[-1].reports
    assert (block.lsr != 0, block.dlsr) == (True, 0)


def late(world: World, speaker: Client, due: float, seconds: float) -> None:
    """Let a tick come this many seconds late, with what arrives before it."""
    world.now = due + seconds
    speaker.tick(world.now)
    world.engine.read()
    world.engine.tick(due)
    for client in world.clients:
        client.read()


def reports_of(*clients: Client) -> list[RtcpSrPacket]:
    """The reports that these have got since the last call."""
    said = [report for client in clients for report in client.received.reports]
    for client in clients:
        client.received.reports.clear()
    return said
