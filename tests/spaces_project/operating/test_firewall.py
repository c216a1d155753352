"""Every line for the firewall in docs/operating/, in a network of its own: who gets in by it, and who does not."""

import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.rig.browser.places import Link, Place
from tests.rig.documents import configuration, text
from tests.rig.services.coturn import program

pytestmark = [pytest.mark.alone, pytest.mark.needs_nft, pytest.mark.needs_network]
APOSTROPHE = "'"  # for the shell
GRANTED_SECONDS, REFUSED_SECONDS = 10.0, 0.25  # how long is waited for what should come, and for what should not
HERE, HERE6, HERE_WG = "198.51.100.2", "2001:db8:1::2", "10.0.0.1"
STRANGER, STRANGER6, NODE, NODE6 = "203.0.113.99", "2001:db8::99", "203.0.113.7", "2001:db8::7"
OTHER_WG, STRANGER_WG = "10.0.0.8", "10.0.0.9"


class Knock(NamedTuple):
    """A visitor: by UDP or TCP, from an address of their own, to a port and an address of the machine."""

    kind: str
    source: str
    port: int
    target: str = HERE


class Rule(NamedTuple):
    """Who gets in by one more line, and some of those who still do not."""

    granted: list[Knock]
    refused: list[Knock]


def relayed(source: str, stranger: str, target: str) -> Rule:
    """The relay ports of coturn, for the media node alone."""
    granted = [Knock("udp", source, port, target) for port in (49152, 65535)]
    refused = [("udp", stranger, 49152), ("udp", source, 49151), ("tcp", source, 50000)]
    return Rule(granted, [Knock(*one, target) for one in refused])


RULES = {
    "udp dport 40000 accept": Rule(
        [Knock("udp", STRANGER, 40000), Knock("udp", STRANGER6, 40000, HERE6)],
        [Knock("udp", STRANGER, 40001), Knock("tcp", STRANGER, 40000), Knock("tcp", STRANGER, 40001)],
    ),
    "udp dport 3478 accept": Rule([Knock("udp", STRANGER, 3478)], [Knock("tcp", STRANGER, 3478)]),
    "tcp dport '{ 443, 3478 }' accept": Rule(
        [Knock("tcp", STRANGER, 3478), Knock("tcp", STRANGER6, 3478, HERE6)], [Knock("udp", STRANGER, 3478)]
    ),
    "ip saddr 203.0.113.7 udp dport 49152-65535 accept": relayed(NODE, STRANGER, HERE),
    "ip6 saddr 2001:db8::7 udp dport 49152-65535 accept": relayed(NODE6, STRANGER6, HERE6),
    "ip saddr '{ 203.0.113.7, 203.0.113.8 }' udp dport 51820 accept": Rule(
        [Knock("udp", NODE, 51820)], [Knock("udp", STRANGER, 51820), Knock("tcp", NODE, 51820)]
    ),
    "iifname wg0 ip saddr '{ 10.0.0.1, 10.0.0.8 }' tcp dport '{ 2049, 5432, 6379, 40001 }' accept": Rule(
        [Knock("tcp", OTHER_WG, port, HERE_WG) for port in (2049, 5432, 6379, 40001)],
        [Knock("tcp", STRANGER_WG, 5432, HERE_WG), Knock("tcp", OTHER_WG, 8000, HERE_WG), Knock("tcp", STRANGER, 5432)],
    ),
}
STRANGERS = [Knock("tcp", STRANGER, 8000), Knock("udp", STRANGER, 443), Knock("tcp", OTHER_WG, 6379, HERE_WG)]


class Machine:
    """One with the documented firewall, and all others, who are at the other end of its links."""

    def __init__(self, here: Place, world: Place) -> None:
        self.here, self.world = here, world

    def run(self, *command: str, given: str = "") -> None:
        done = subprocess.run(
            [*self.here.prefix, *command], input=given, capture_output=True, text=True, timeout=30, check=False
        )
        assert done.returncode == 0, done.stderr

    def load(self, rules: str) -> None:
        """As systemd does at the start of the machine."""
        self.run(program("nft", "nftables"), "-f", "-", given=rules)

    @property
    def remembered(self) -> int:
        """How many connections the kernel tracks."""
        return int(self.here.do(Path("/proc/sys/net/netfilter/nf_conntrack_count").read_text))

    def lets_in(self, knock: Knock, *, expected: bool) -> bool:
        """Whether it does. The longer wait is for what is expected to come."""
        seconds = GRANTED_SECONDS if expected else REFUSED_SECONDS
        kind = socket.SOCK_DGRAM if knock.kind == "udp" else socket.SOCK_STREAM
        with (
            closing(self.here.do(lambda: _bound(kind, knock.target, knock.port))) as server,
            closing(self.world.do(lambda: _bound(kind, knock.source, 0))) as client,
        ):
            server.settimeout(seconds)
            client.settimeout(seconds)
            return _reaches(client, server)


def _bound(kind: socket.SocketKind, address: str, port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)
    made.bind((address, port))
    return made


def _reaches(client: socket.socket, server: socket.socket) -> bool:
    try:
        if client.type == socket.SOCK_DGRAM:
            client.sendto(b"knock", server.getsockname())
            return server.recv(16) == b"knock"
        server.listen()
        client.connect(server.getsockname())
    except TimeoutError:
        return False
    return True


@pytest.fixture
def machine() -> Iterator[Machine]:
    """With the first rules alone."""
    with Place("firewall") as here, Place("world") as world:
        for link in (
            Link("eth0", "198.51.100.1", HERE),
            Link("eth1", "2001:db8:1::1", HERE6),
            Link("wg0", OTHER_WG, HERE_WG, metric=200, bits=24),
        ):
            here.connect(world, link)
            here.join(link.name)
        for address in (STRANGER, STRANGER6, NODE, NODE6, STRANGER_WG):
            world.add(address)
        made = Machine(here, world)
        visitors = [knock for rule in RULES.values() for knock in rule.granted + rule.refused] + STRANGERS
        assert [knock for knock in visitors if made.lets_in(knock, expected=True)] == visitors, "without a firewall"
        made.load(configuration("firewall"))
        yield made


def test_the_first_rules_let_in_pages_and_ssh_and_what_was_asked_for(machine: Machine) -> None:
    for port in (22, 80, 443):
        assert machine.lets_in(Knock("tcp", STRANGER, port), expected=True)
        assert machine.lets_in(Knock("tcp", STRANGER6, port, HERE6), expected=True)
    for stranger in STRANGERS:
        assert not machine.lets_in(stranger, expected=False)
    with (
        closing(machine.world.do(lambda: _bound(socket.SOCK_DGRAM, STRANGER, 53))) as asked,
        closing(machine.here.do(lambda: _bound(socket.SOCK_DGRAM, HERE, 0))) as asking,
    ):
        asking.sendto(b"question", asked.getsockname())
        for end in (asked, asking):
            end.settimeout(GRANTED_SECONDS)
        _, place = asked.recvfrom(16)
        asked.sendto(b"answer", place)
        assert asking.recv(16) == b"answer"


def test_packets_of_the_sound_are_not_remembered_and_others_are(machine: Machine) -> None:
    """Or the table of connections would be full after a flood from many addresses."""
    media, other = "udp dport 40000 accept", "udp dport 3478 accept"
    for line in (media, other):
        machine.run("sh", "-c", f"PATH=$PATH:/usr/sbin; nft add rule inet filter input {line}")
    before = machine.remembered
    for _ in range(20):
        assert machine.lets_in(RULES[media].granted[0], expected=True)
    assert machine.remembered == before
    assert machine.lets_in(RULES[other].granted[0], expected=True)
    assert machine.remembered == before + 1


def test_every_line_of_the_pages_is_tried() -> None:
    assert set(re.findall(r"nft add rule inet filter input ([^`\n]+)", text())) == RULES.keys()


@pytest.mark.parametrize("line", RULES)
@pytest.mark.parametrize("way", ["typed", "written into the file"])
def test_a_line_lets_in_only_whom_it_is_meant_for(machine: Machine, line: str, way: str) -> None:
    rule = RULES[line]
    assert not [knock for knock in rule.granted if machine.lets_in(knock, expected=False)]
    if way == "typed":
        machine.run("sh", "-c", f"PATH=$PATH:/usr/sbin; nft add rule inet filter input {line}")
    else:
        last = "        tcp dport { 22, 80, 443 } accept\n"
        assert last in configuration("firewall")
        machine.load(configuration("firewall").replace(last, f"{last}        {line.replace(APOSTROPHE, '')}\n"))
    assert [knock for knock in rule.granted if machine.lets_in(knock, expected=True)] == rule.granted
    assert not [knock for knock in rule.refused if machine.lets_in(knock, expected=False)]
