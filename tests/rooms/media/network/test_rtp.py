"""RTP headers."""

import pytest

from rooms.media.network.rtp import RtpPacket, build, is_rtcp, parse

PACKET = RtpPacket(111, 65_535, 2**32 - 1, 77, b"sound", marker=True)


def test_what_was_built_is_read() -> None:
    assert parse(build(PACKET)) == PACKET


def test_sources_extension_and_padding_are_passed_over() -> None:
    data = bytearray(build(PACKET)[:12])
    data[0] |= 0x10 | 0x20 | 2
    data += bytes(8) + b"\xbe\xde\x00\x01" + b"abcd" + b"sound" + b"\x00\x00\x03"
    assert parse(bytes(data)).payload == b"sound"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(12),
        b"\x80" * 11,
        b"\x8f" + bytes(20),
        b"\x90" + bytes(12),
        b"\x90" + bytes(13) + b"\xff\xff" + bytes(4),
        b"\xa0" + bytes(11) + b"\x00",
        b"\xa0" + bytes(11) + b"\xff",
    ],
)
def test_lengths_that_do_not_fit_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="RTP"):
        parse(data)


def test_rtcp_is_recognised() -> None:
    assert is_rtcp(b"\x80\xc8")
    assert not is_rtcp(build(PACKET))
    assert not is_rtcp(b"\x80")
