"""Packets of 60 ms: the same sound in a third of the packets, and nothing lost or doubled when a listener changes."""

import itertools

import numpy as np
import pytest

from rooms.media.client.tones import tone
from rooms.media.listeners.audience import Audiences
from rooms.media.network import rtp
from rooms.media.sound import opus
from tests.rig.media.listeners import FanOutRig, Sink

TICKS = 30
TONE = 440.0


@pytest.fixture
def audiences(rig: FanOutRig) -> Audiences:
    return Audiences(rig.fanout)


@pytest.fixture(scope="module")
def frames() -> list[bytes]:
    encoder = opus.Encoder()
    sound = tone(TONE, TICKS / 50)
    return [encoder.encode(sound[at : at + opus.FRAME]) for at in range(0, len(sound), opus.FRAME)]


def run(rig: FanOutRig, audiences: Audiences, frames: list[bytes], sink: Sink) -> list[rtp.RtpPacket]:
    """Hand out a packet at each tick. Returns what one listener got."""
    got = []
    for frame in frames:
        rig.fanout.clock += opus.FRAME
        audiences.write(frame)
        rig.fanout.flush()
        got += sink.receive()
    return got


def heard(packets: list[rtp.RtpPacket]) -> opus.Pcm:
    decoder = opus.Decoder()
    return np.concatenate([decoder.decode(packet.payload) for packet in packets])


def assert_seamless(packets: list[rtp.RtpPacket]) -> None:
    """Each packet begins where the one before it ends, under the next number."""
    for before, after in itertools.pairwise(packets):
        assert after.sequence == before.sequence + 1
        assert after.timestamp == (before.timestamp + opus.samples_of(before.payload)) % 2**32


def test_three_frames_travel_in_one_packet_and_sound_the_same(
    rig: FanOutRig, audiences: Audiences, frames: list[bytes]
) -> None:
    short, long = rig.enter(), rig.enter()
    audiences.short.add(short)
    audiences.long.add(long)
    packets = run(rig, audiences, frames, long)
    every = short.receive()
    assert (len(every), len(packets)) == (TICKS, TICKS // 3)
    assert_seamless(packets)
    assert_seamless(every)
    assert np.array_equal(heard(packets), heard(every))


def test_the_timestamp_is_that_of_the_first_frame(rig: FanOutRig, audiences: Audiences, frames: list[bytes]) -> None:
    sink = rig.enter()
    audiences.long.add(sink)
    (packet,) = run(rig, audiences, frames[:3], sink)
    now, *_ = rig.fanout.progress(sink.row, 0.0)
    assert (now - packet.timestamp) % 2**32 == 2 * opus.FRAME


@pytest.mark.parametrize("change", range(1, 6))
def test_a_listener_who_changes_to_short_packets_misses_nothing(
    rig: FanOutRig, audiences: Audiences, frames: list[bytes], change: int
) -> None:
    sink, other = rig.enter(), rig.enter()
    audiences.long.add(sink)
    audiences.long.add(other)
    packets = run(rig, audiences, frames[:change], sink)
    audiences.shorten(sink)
    packets += run(rig, audiences, frames[change:], sink)
    assert_seamless(packets)
    assert sum(opus.samples_of(packet.payload) for packet in packets) == TICKS * opus.FRAME
    assert opus.samples_of(packets[-1].payload) == opus.FRAME
    assert len(other.receive()) == TICKS // 3
    decoder = opus.Decoder()
    whole = np.concatenate([decoder.decode(frame) for frame in frames])
    assert np.array_equal(heard(packets), whole)


def test_if_the_encoder_changes_its_mode_the_frames_travel_apart(
    rig: FanOutRig, audiences: Audiences, frames: list[bytes]
) -> None:
    sink, short = rig.enter(), rig.enter()
    audiences.long.add(sink)
    audiences.short.add(short)
    packets = run(rig, audiences, [frames[0], opus.SILENT_PACKET, opus.SILENT_PACKET, *frames[3:6]], sink)
    assert [opus.samples_of(packet.payload) // opus.FRAME for packet in packets] == [1, 2, 3]
    assert_seamless(packets)
    assert len(short.receive()) == 6, "no one gets a packet twice"


def test_a_listener_who_leaves_is_in_no_group(rig: FanOutRig, audiences: Audiences, frames: list[bytes]) -> None:
    sink = rig.enter()
    audiences.long.add(sink)
    run(rig, audiences, frames[:1], sink)
    audiences.shorten(sink)
    audiences.discard(sink)
    rig.fanout.remove(sink)
    assert run(rig, audiences, frames[1:4], sink) == []
    assert len(audiences) == 0


def test_a_new_audience_hears_nothing_of_before(rig: FanOutRig, audiences: Audiences, frames: list[bytes]) -> None:
    first = rig.enter()
    audiences.long.add(first)
    run(rig, audiences, frames[:2], first)
    audiences.discard(first)
    rig.fanout.remove(first)
    audiences.write(frames[2])
    second = rig.enter()
    audiences.long.add(second)
    (packet,) = run(rig, audiences, frames[3:6], second)
    assert opus.samples_of(packet.payload) == 3 * opus.FRAME
