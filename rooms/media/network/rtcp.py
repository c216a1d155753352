"""RTCP: the reports of listeners, and the sender reports that they need for them (RFC 3550 section 6.4)."""

import struct
from typing import NamedTuple

from aiortc.rtp import RTCP_SR, RtcpByePacket, RtcpPacket, RtcpReceiverInfo, RtcpRrPacket, RtcpSrPacket

from rooms.media.contract.held import Reception
from rooms.media.network.rtp import VERSION_2
from rooms.media.units import SAMPLE_RATE

_SENDER_REPORT = struct.Struct("!BBHIQIII")  # packed by hand: aiortc's objects cost more, and it is made often
_WORD = 0xFFFFFFFF


def ntp(now: float) -> int:
    """Seconds of the node's clock as a 64-bit NTP timestamp.

    RFC 3550 section 4 allows any clock. The node's is monotonic, so it is never set during a measurement.
    """
    return round(now * 2**32)


def _middle(now: float) -> int:
    """The 32 bits in the middle of the NTP timestamp, in units of 1/65536 s."""
    return (ntp(now) >> 16) & 0xFFFFFFFF


def sender_report(
    ssrc: int, now: float, timestamp: int, packets: int, octets: int, block: RtcpReceiverInfo | None = None
) -> bytes:
    """A sender report (RFC 3550 section 6.4.1): RTP time, the node's time, packets and octets sent.

    `block` reports how the browser's own sound arrives.
    """
    blocks = bytes(block) if block else b""
    words = (_SENDER_REPORT.size + len(blocks)) // 4 - 1
    head = _SENDER_REPORT.pack(
        VERSION_2 | bool(block), RTCP_SR, words, ssrc, ntp(now), timestamp, packets & _WORD, octets & _WORD
    )
    return head + blocks


class Compound(NamedTuple):
    """One compound packet of a peer.

    `receptions`: how it receives. `goodbyes`: its SSRCs that end. `times`: by SSRC, the middle 32 bits of the NTP
    timestamp of its sender report.
    """

    receptions: list[Reception]
    goodbyes: list[int]
    times: dict[int, int]


def read(data: bytes, ssrc: int, now: float) -> Compound:
    """Read a compound packet that arrived at `now` from a receiver of stream `ssrc`. ValueError if malformed."""
    found = Compound([], [], {})
    for packet in RtcpPacket.parse(data):
        if isinstance(packet, RtcpRrPacket | RtcpSrPacket):
            found.receptions.extend(_reception(block, now) for block in packet.reports if block.ssrc == ssrc)
        if isinstance(packet, RtcpSrPacket):
            found.times[packet.ssrc] = (packet.sender_info.ntp_timestamp >> 16) & 0xFFFFFFFF
        elif isinstance(packet, RtcpByePacket):
            found.goodbyes.extend(packet.sources)
    return found


def _reception(block: RtcpReceiverInfo, now: float) -> Reception:
    round_trip = None
    if block.lsr:
        units = (_middle(now) - block.lsr - block.dlsr) & 0xFFFFFFFF
        round_trip = units / 65.536 if units < 2**31 else 0.0  # rounding may make it negative
    jitter_ms = block.jitter * 1000 / SAMPLE_RATE
    return Reception(block.fraction_lost / 256, jitter_ms, round_trip, block.highest_sequence, block.packets_lost)
