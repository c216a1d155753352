"""What the node reports of the sound that it gets, against the definitions of RFC 3550."""

import pytest
from aiortc.rtp import RtcpPacket, RtcpReceiverInfo, RtcpSrPacket

from rooms.media.client.peer import PAYLOAD_TYPE
from rooms.media.client.tones import tone_packets
from rooms.media.network import rtcp, rtp
from rooms.media.network.source import Source
from rooms.media.units import FRAME
from tests.rooms.media.conftest import World

START = 5000.0
TICK = 0.02


def packet(number: int, first: int = 65_500) -> rtp.RtpPacket:
    """The packet of this number, in a stream whose sequence numbers and timestamps wrap around soon."""
    timestamp = (2**32 - 10 * FRAME + number * FRAME) & 0xFFFFFFFF
    return rtp.RtpPacket(111, (first + number) & 0xFFFF, timestamp, 7, b"sound")


def received(*numbers: int, late: dict[int, float] | None = None) -> Source:
    source = Source(7, START)
    for number in numbers:
        source.count(packet(number), START + number * TICK + (late or {}).get(number, 0.0))
    return source


def report(source: Source, now: float = START) -> RtcpReceiverInfo:
    block = source.report(now)
    assert block is not None
    return RtcpReceiverInfo.parse(bytes(block))


def test_all_that_was_sent_arrives_over_a_rollover() -> None:
    block = report(received(*range(100)))
    assert (block.ssrc, block.fraction_lost, block.packets_lost) == (7, 0, 0)
    assert block.highest_sequence == 65_599  # one rollover in the upper 16 bits
    assert block.jitter <= 1


def test_the_share_is_of_what_was_lost_since_the_last_report() -> None:
    source = received(*(number for number in range(100) if number % 4))
    assert (report(source).fraction_lost, report_of_more(source, range(100, 150))) == (
        62,
        (0, 24),
    )
    assert report_of_more(source, range(152, 200)) == (10, 26)  # 2 of 50


def report_of_more(source: Source, numbers: range) -> tuple[int, int]:
    for number in numbers:
        source.count(packet(number), START + number * TICK)
    block = report(source)
    return block.fraction_lost, block.packets_lost


def test_what_comes_late_is_not_lost() -> None:
    source = received(0, 1, 3, 2, 4)
    assert (report(source).fraction_lost, source.expected, source.received) == (0, 5, 5)


def test_what_came_before_the_first_one_is_no_loss_either() -> None:
    block = report(received(1, 0, 2))
    assert (block.fraction_lost, block.packets_lost) == (0, -1)


def test_nothing_is_reported_of_a_time_without_packets() -> None:
    source = Source(7, START)
    assert source.report(START) is None
    source.count(packet(0), START)
    assert source.report(START) is not None
    assert source.report(START) is None


def test_jitter_is_the_running_mean_of_the_standard() -> None:
    late = {number: 0.005 * (number % 3) for number in range(60)}
    expected, before = 0.0, 0.0
    for number in range(1, 60):
        swing = abs(late[number] - before) * 48_000
        before = late[number]
        expected += (swing - expected) / 16
    assert report(received(*range(60), late=late)).jitter == pytest.approx(expected, abs=1)


def test_a_clock_that_is_set_is_not_jitter() -> None:
    source = received(*range(50))
    for number in range(50, 100):
        source.count(packet(number), START + 60 + number * TICK)
    assert source.jitter_ms < 1


def test_a_sequence_that_restarts_is_not_loss() -> None:
    source = received(*range(50))
    for number in range(50, 100):
        source.count(packet(number, first=20_000), START + number * TICK)
    assert report(source).fraction_lost == 0


def test_the_report_says_which_report_it_answers_and_how_long_ago_that_came() -> None:
    source = received(0)
    source.on_sender_report(0x1234_5678, START)
    block = report(source, START + 1.5)
    assert (block.lsr, block.dlsr) == (0x1234_5678, 3 * 32_768)
    assert report(received(0)).lsr == 0


@pytest.mark.asyncio
async def test_a_speaker_gets_a_report_each_second(world: World) -> None:
    world.stand("hana")
    hana, lior = await world.join("hana", decode=False), await world.join("lior", decode=False)
    hana.speak(tone_packets(440.0))
    world.run(5.18)
    assert [block.fraction_lost for sent in hana.received.reports for block in sent.reports] == [0] * 5
    assert {sent.ssrc for sent in hana.received.reports} == {world.peer("hana").out_ssrc}
    assert [block for sent in lior.received.reports for block in sent.reports] == []
    hana.received.reports.clear()
    for number in range(100):
        if number % 5 == 0:
            hana._sequence += 1  # lost on the way
        world.step()
    assert [block.fraction_lost for sent in hana.received.reports for block in sent.reports] == [
        pytest.approx(256 / 6, abs=5)
    ] * 2
    hana.speak(())
    hana.received.reports.clear()
    world.run(8.0)
    assert len([block for sent in hana.received.reports for block in sent.reports]) <= 1, (
        "of what came after the last one"
    )


@pytest.mark.asyncio
async def test_the_speakers_own_report_is_answered_with_the_round_trip(world: World) -> None:
    world.stand("hana")
    hana = await world.join("hana", decode=False)
    hana.speak(tone_packets(440.0))
    world.run(0.5)
    outgoing = hana._session.outgoing
    assert outgoing is not None
    hana.send_raw(outgoing.protect_rtcp(rtcp.sender_report(hana._ssrc, 1_790_000.25, 0, 25, 1000)))
    world.run(1.0)
    block = hana.received.reports[-1].reports[0]
    assert block.lsr == (1_790_000 & 0xFFFF) << 16 | 0x4000
    assert 0 < block.dlsr / 65_536 < 1.0


def test_the_block_travels_in_the_senders_report() -> None:
    data = rtcp.sender_report(9, 0.0, 1, 2, 3, received(0, 2).report(START))
    (parsed,) = RtcpPacket.parse(data)
    assert isinstance(parsed, RtcpSrPacket)
    assert [block.packets_lost for block in parsed.reports] == [1]
    assert parsed.sender_info.packet_count == 2


@pytest.mark.asyncio
async def test_another_kind_of_packet_is_counted_but_not_heard(world: World) -> None:
    world.stand("hana")
    hana = await world.join("hana", decode=False)
    hana.send_packet(b"x", payload_type=PAYLOAD_TYPE + 1)
    world.step()
    source = world.peer("hana").source
    assert source is not None
    assert (source.received, world.peer("hana").received) == (1, 0)
