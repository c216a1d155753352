"""Sender reports, built by hand: octet by octet what aiortc makes of the same numbers."""

import pytest
from aiortc.rtp import RtcpReceiverInfo, RtcpSenderInfo, RtcpSrPacket

from rooms.media.network import rtcp

BLOCK = RtcpReceiverInfo(
    ssrc=5, fraction_lost=3, packets_lost=4, highest_sequence=70_000, jitter=3, lsr=0xFFFF_0001, dlsr=2
)


@pytest.mark.parametrize("block", [None, BLOCK])
@pytest.mark.parametrize("numbers", [(0, 0, 0), (7, 8, 9), (0xFFFF_FFFF, 0xFFFF_FFFF, 0xFFFF_FFFF)])
def test_a_sender_report_is_what_the_standard_says(
    numbers: tuple[int, int, int], block: RtcpReceiverInfo | None
) -> None:
    now = 1_790_000.25
    expected = RtcpSrPacket(0xFEDC_BA98, RtcpSenderInfo(rtcp.ntp(now), *numbers), [block] if block else [])
    assert rtcp.sender_report(0xFEDC_BA98, now, *numbers, block) == bytes(expected)


def test_counts_of_a_sender_report_wrap_around() -> None:
    wrapped = rtcp.sender_report(1, 0.0, 0, 2**32 + 5, 2**33 + 6)
    assert wrapped == rtcp.sender_report(1, 0.0, 0, 5, 6)
