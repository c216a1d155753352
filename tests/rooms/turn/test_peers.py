"""The addresses that coturn relays to: only the media node. Every range of the documented deny list counts."""

import re
from ipaddress import ip_address
from pathlib import Path

import pytest

from tests.rig.services.coturn import Cable, Coturn, denied_ranges, user
from tests.rooms.turn.client import IPV4, IPV6, Node, allocated

pytestmark = [pytest.mark.alone, pytest.mark.needs_coturn, pytest.mark.needs_network]
FORBIDDEN, WRONG_FAMILY = 403, 443
ALL_IPV4, ALL_IPV6 = "0.0.0.0-255.255.255.255", "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
UNASKED = ""  # refused by coturn before it looks into its lists

# What must not be reached (IANA's registries of special-purpose addresses), addresses of it, and the line against them.
RESERVED = {
    "this network": (["0.0.0.0", "0.0.0.1", "0.255.255.255"], UNASKED),
    "private 10": (["10.0.0.0", "10.0.0.1", "10.255.255.255"], "10.0.0.0-10.255.255.255"),
    "shared by a provider": (["100.64.0.0", "100.100.100.200", "100.127.255.255"], "100.64.0.0-100.127.255.255"),
    "loopback": (["127.0.0.0", "127.0.0.1", "127.255.255.255"], UNASKED),
    "link-local": (["169.254.0.0", "169.254.0.1", "169.254.255.255"], "169.254.0.0-169.254.255.255"),
    "metadata of clouds": (["169.254.169.254", "169.254.170.2"], "169.254.0.0-169.254.255.255"),
    "private 172": (["172.16.0.0", "172.20.1.1", "172.31.255.255"], "172.16.0.0-172.31.255.255"),
    "protocols": (["192.0.0.0", "192.0.0.192", "192.0.0.255"], "192.0.0.0-192.0.0.255"),
    "documentation 1": (["192.0.2.0", "192.0.2.77", "192.0.2.255"], "192.0.2.0-192.0.2.255"),
    "6to4 relays": (["192.88.99.0", "192.88.99.1", "192.88.99.255"], "192.88.99.0-192.88.99.255"),
    "private 192": (["192.168.0.0", "192.168.1.1", "192.168.255.255"], "192.168.0.0-192.168.255.255"),
    "benchmarks": (["198.18.0.0", "198.18.255.255", "198.19.255.255"], "198.18.0.0-198.19.255.255"),
    "documentation 2": (["198.51.100.0", "198.51.100.9", "198.51.100.255"], "198.51.100.0-198.51.100.255"),
    "documentation 3": (["203.0.113.0", "203.0.113.9", "203.0.113.255"], "203.0.113.0-203.0.113.255"),
    "multicast": (["224.0.0.0", "224.0.0.1", "239.255.255.250", "239.255.255.255"], UNASKED),
    "reserved": (["240.0.0.0", "250.1.2.3", "255.255.255.254"], UNASKED),
    "broadcast": (["255.255.255.255"], UNASKED),
    "IPv6 unspecified": (["::"], UNASKED),
    "IPv6 loopback": (["::1"], UNASKED),
    "IPv4 in IPv6, old": (["::7f00:1", "::127.0.0.0", "::10.0.0.1", "::2"], ALL_IPV6),
    "IPv4 mapped": (
        ["::ffff:0:0", "::ffff:10.0.0.1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:192.168.1.1",
         "::ffff:224.0.0.1", "::ffff:8.8.8.8", "::ffff:255.255.255.255"],
        "::ffff:0:0-::ffff:ffff:ffff",
    ),
    "NAT64": (
        ["64:ff9b::", "64:ff9b::a00:1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b::ffff:ffff"],
        "64:ff9b::-64:ff9b::ffff:ffff",
    ),
    "NAT64 of one's own": (
        ["64:ff9b:1::", "64:ff9b:1::a00:1", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff"],
        "64:ff9b:1::-64:ff9b:1:ffff:ffff:ffff:ffff:ffff",
    ),
    "discarded": (["100::", "100::1", "100::ffff:ffff:ffff:ffff", "100:0:0:1::5"], "100::-100::1:ffff:ffff:ffff:ffff"),
    "IPv6 protocols": (
        ["2001::", "2001:2::1", "2001:10::1", "2001:20::1", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff"],
        "2001::-2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff",
    ),
    "Teredo": (
        ["2001:0:a00:1::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2"], "2001::-2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff",
    ),
    "IPv6 documentation 1": (
        ["2001:db8::", "2001:db8::1", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"],
        "2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
    ),
    "6to4": (
        ["2002::", "2002:a00:1::1", "2002:7f00:1::1", "2002:c0a8:101::1", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
        "2002::-2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    ),
    "IPv6 documentation 2": (
        ["3fff::", "3fff::1", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff"],
        "3fff::-3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff",
    ),
    "segment routing": (
        ["5f00::", "5f00::1", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
        "5f00::-5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    ),
    "IPv6 private": (
        ["fc00::", "fc00::1", "fd00:ec2::254", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
        "fc00::-fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    ),
    "IPv6 link-local": (
        ["fe80::", "fe80::1", "fe80::a9fe:a9fe", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
        "fe80::-febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    ),
    "IPv6 site-local": (
        ["fec0::", "fec0::1", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
        "fec0::-feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    ),
    "IPv6 multicast": (["ff00::", "ff02::1", "ff05::2", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"], UNASKED),
    "the open network": (["8.8.8.8", "1.1.1.1", "223.255.255.255"], ALL_IPV6),
    "the open IPv6 network": (["2606:4700::1111", "2a00::1", "4000::", "1::1"], ALL_IPV6),
}  # fmt: skip
CASES = [
    pytest.param(address, line, id=f"{name}: {address}") for name, (many, line) in RESERVED.items() for address in many
]


def family(address: str) -> int:
    return IPV6 if ":" in address else IPV4


@pytest.mark.parametrize(("address", "line"), CASES)
async def test_a_peer_that_is_not_the_node_is_refused(coturn: Coturn, address: str, line: str) -> None:
    """By permission and by channel. The log names the line, so that no line stands in for another."""
    async with allocated(coturn, user(), family(address)) as member:
        assert await member.permit(address) == FORBIDDEN
        assert await member.bind(address) == FORBIDDEN
    denials = re.findall(r"A peer IP (\S+) denied in the range: (\S+)", coturn.said())
    by = {denied for peer, denied in denials if ip_address(peer) == ip_address(address)}
    assert by == ({line} if line else set())


@pytest.mark.parametrize("address", ["::ffff:10.0.0.1", "::ffff:127.0.0.1", "::1", "fe80::1", "64:ff9b::a00:1"])
async def test_no_ipv6_peer_by_an_ipv4_allocation(coturn: Coturn, address: str) -> None:
    async with allocated(coturn, user()) as member:
        assert await member.permit(address) == WRONG_FAMILY


async def test_not_even_coturns_own_addresses_are_reached(coturn: Coturn) -> None:
    async with allocated(coturn, user()) as member:
        assert await member.permit(coturn.cable.there) == FORBIDDEN
        assert await member.permit(coturn.cable.other) == FORBIDDEN, "the same machine as the node, another address"
    async with allocated(coturn, user(), IPV6) as member:
        assert await member.permit(coturn.cable.there6) == FORBIDDEN
        assert await member.permit(f"::ffff:{coturn.cable.here}") == FORBIDDEN, "the node, mapped"


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
@pytest.mark.parametrize("ip", [4, 6])
async def test_data_passes_to_the_node_and_back(coturn: Coturn, transport: str, ip: int) -> None:
    """Though its address lies in a range that is denied."""
    node = Node(coturn.cable.here if ip == 4 else coturn.cable.here6)
    try:
        async with allocated(coturn, user(), IPV4 if ip == 4 else IPV6, transport) as sol:
            await sol.send(b"sound", node.place)
            assert await sol.got.get() == b"dnuos"
    finally:
        node.close()


def test_every_line_of_the_deny_list_is_asked_for() -> None:
    """Except for ranges that coturn refuses before it looks into its lists."""
    built_in = {"0.0.0.0-0.255.255.255", "127.0.0.0-127.255.255.255", "224.0.0.0-239.255.255.255", "::1"}
    built_in |= {"240.0.0.0-255.255.255.255", "ff00::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ALL_IPV4}
    assert set(denied_ranges()) == {line for _, line in RESERVED.values() if line} | built_in


def test_every_range_of_ipv6_is_a_prefix() -> None:
    """coturn 4.6 compares octet by octet, which is right for prefixes alone."""
    for line in denied_ranges():
        first, _, last = line.partition("-")
        if ":" in first:
            low, high = ip_address(first).packed, ip_address(last or first).packed
            differing = [at for at in range(16) if low[at] != high[at]]
            assert all((low[at], high[at]) == (0, 255) for at in differing[1:]), line


async def test_what_operators_are_warned_of(cable: Cable, tmp_path: Path) -> None:
    """Loopback cannot be allowed; an IPv6 range that is no prefix denies less than it seems to; "::" allows IPv4."""
    deny_all = f"denied-peer-ip={ALL_IPV4}\ndenied-peer-ip={ALL_IPV6}\n"
    wrong = "allowed-peer-ip=127.0.0.1\nallowed-peer-ip=::-fff::ffff\n"
    wrong += "denied-peer-ip=2a00:ff::-2a01:1ff:ffff:ffff:ffff:ffff:ffff:ffff\n"
    coturn = Coturn(cable, tmp_path, {deny_all: wrong}, ports=(3490, 454))
    try:
        async with allocated(coturn, user()) as member:
            assert await member.permit("127.0.0.1") == FORBIDDEN
            assert await member.permit("10.0.0.1") == 0, "by a line that looks as if it were about IPv6"
        async with allocated(coturn, user(), IPV6) as member:
            assert await member.permit("2a00:ff::1") == FORBIDDEN
            assert await member.permit("2a00:100::1") == 0, "between the two ends, and not denied"
    finally:
        coturn.stop()
