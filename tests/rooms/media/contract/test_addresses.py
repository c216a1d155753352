"""What an operator may write for the addresses of a node."""

import pytest

from rooms.media.contract.addresses import Announced, parse, parse_all


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("203.0.113.7", "203.0.113.7", None),
        ("203.0.113.7:3478", "203.0.113.7", 3478),
        ("2001:db8::7", "2001:db8::7", None),
        ("2001:0DB8:0:0::7", "2001:db8::7", None),
        ("[2001:db8::7]", "2001:db8::7", None),
        ("[2001:db8::7]:65535", "2001:db8::7", 65535),
        ("::1", "::1", None),
    ],
)
def test_an_address(text: str, host: str, port: int | None) -> None:
    assert parse(text) == Announced(host, port)
    assert parse(text).at(40000) == (host, port or 40000)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is not an IPv4 or IPv6 address"),
        ("spaces.example.org", "is not an IPv4 or IPv6 address"),
        ("spaces.example.org:40000", "is not an IPv4 or IPv6 address"),
        ("203.0.113", "is not an IPv4 or IPv6 address"),
        ("203.0.113.7:", "is not an IPv4 or IPv6 address"),
        ("203.0.113.7:udp", "is not an IPv4 or IPv6 address"),
        ("203.0.113.7/24", "is not an IPv4 or IPv6 address"),
        ("[203.0.113.7]:40000", "is not an IPv4 or IPv6 address"),
        ("[2001:db8::7]40000", "is not an IPv4 or IPv6 address"),
        ("[2001:db8::7", "is not an IPv4 or IPv6 address"),
        ("203.0.113.7:0", "is not from 1 to 65535"),
        ("203.0.113.7:65536", "is not from 1 to 65535"),
        ("[2001:db8::7]:99999", "is not from 1 to 65535"),
        ("0.0.0.0", "no one can reach"),
        ("[::]:40000", "no one can reach"),
        ("224.0.0.1", "no one can reach"),
        ("255.255.255.255", "no one can reach"),
        ("fe80::1%eth0", "on this machine only"),
        ("::ffff:203.0.113.7", "on this machine only"),
    ],
)
def test_what_no_browser_can_reach_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse(text)


def test_several_in_their_order() -> None:
    assert [one.host for one in parse_all(["203.0.113.7", "::1", "127.0.0.1"])] == ["203.0.113.7", "::1", "127.0.0.1"]


@pytest.mark.parametrize(
    ("texts", "reason"),
    [([], "no address is named"), (["203.0.113.7", "::1", "0::1"], "0::1 is named twice"), (["::1", "x"], "^x is no")],
)
def test_none_the_same_twice_and_a_wrong_one_among_good_ones_are_refused(texts: list[str], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_all(texts)
