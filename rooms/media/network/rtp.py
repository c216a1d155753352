"""RTP packets, as far as the node needs them (RFC 3550 section 5.1)."""

import struct
from typing import NamedTuple

HEADER = 12
MAX_PACKET = 1500  # octets of the largest datagram that is read
VERSION_2 = 0x80
_HEADER = struct.Struct("!BBHII")
_EXTENSION = struct.Struct("!2xH")


class RtpPacket(NamedTuple):
    """One packet: 16-bit sequence number, 32-bit timestamp and SSRC as sent, payload without padding."""

    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    marker: bool = False


def parse(data: bytes) -> RtpPacket:
    """Read a packet. Raises ValueError if the lengths in it do not fit."""
    if len(data) < HEADER:
        raise ValueError("RTP packet shorter than its header")
    first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(data)
    if first >> 6 != 2:
        raise ValueError("not RTP version 2")
    start, end = HEADER + 4 * (first & 0x0F), len(data)
    if first & 0x10:
        if start + 4 > end:
            raise ValueError("RTP extension longer than the packet")
        start += 4 + 4 * _EXTENSION.unpack_from(data, start)[0]
    if first & 0x20:
        end -= data[-1]
    if start > end or (first & 0x20 and data[-1] == 0):
        raise ValueError("RTP packet shorter than its extension or padding")
    return RtpPacket(second & 0x7F, sequence, timestamp, ssrc, data[start:end], second > 0x7F)


def build(packet: RtpPacket) -> bytes:
    """The octets of a packet without extensions or padding."""
    second = packet.payload_type | packet.marker << 7
    return _HEADER.pack(VERSION_2, second, packet.sequence, packet.timestamp, packet.ssrc) + packet.payload


def is_rtcp(data: bytes) -> bool:
    """Tell RTCP from RTP on one port by the packet type (RFC 5761 section 4)."""
    return len(data) >= 2 and 192 <= data[1] <= 223
