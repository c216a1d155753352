"""ICE-lite: who is believed, who is dropped and counted, when a peer moves, when it is gone."""

import os
from collections.abc import Iterator
from typing import Any

import aioice.stun as reference
import pytest

from rooms.media.network import stun, udp
from rooms.media.network.ice import CONSENT_SECONDS, IceLite, IcePeer

LOW, HIGH = 100, 200


class Browser:
    """What a peer's owner was given."""

    def __init__(self) -> None:
        self.dtls: list[bytes] = []
        self.media: list[bytes] = []
        self.moves: list[bytes] = []
        self.genuine = True

    def on_dtls(self, data: bytes, now: float) -> None:
        self.dtls.append(data)

    def on_media(self, data: bytes, now: float) -> bool:
        self.media.append(data)
        return self.genuine

    def on_address(self, ice: IcePeer, address: bytes) -> None:
        self.moves.append(address)


class Net:
    """A node's ICE with one peer, and sockets to reach it from."""

    def __init__(self) -> None:
        self.port = udp.UdpPort("127.0.0.1")
        self.ice = IceLite(self.port)
        self.browser = Browser()
        self.peer = IcePeer(self.browser, 0.0)
        self.peer.remote_fragment = b"browser"
        self.ice.add(self.peer)
        self.sockets: list[udp.UdpPort] = []

    def socket(self) -> tuple[udp.UdpPort, bytes]:
        """A socket, and its address as the node sees it."""
        sock = udp.UdpPort("127.0.0.1")
        self.sockets.append(sock)
        return sock, self.port.pack("127.0.0.1", sock.port)

    def check(
        self,
        *,
        user: str | None = None,
        password: str | None = None,
        priority: int = LOW,
        nominate: bool = True,
        role: int = stun.CONTROLLING,
    ) -> bytes:
        """Build a check as a browser would send it."""
        user = user or f"{self.peer.fragment.decode()}:browser"
        attributes = stun.attribute(stun.USERNAME, user.encode()) + stun.attribute(role, bytes(8))
        if nominate:
            attributes += stun.attribute(stun.USE_CANDIDATE)
        attributes += stun.attribute(stun.PRIORITY, priority.to_bytes(4, "big"))
        key = (password or self.peer.password.decode()).encode()
        return stun.build(stun.REQUEST, os.urandom(12), attributes, key)

    def close(self) -> None:
        for port in (self.port, *self.sockets):
            port.close()


@pytest.fixture
def net() -> Iterator[Net]:
    net = Net()
    yield net
    net.close()


def test_a_check_is_answered_and_names_the_address(net: Net) -> None:
    sock, address = net.socket()
    request = net.check()
    net.ice.handle(request, address, 1.0)
    ((answer, _),) = sock.receive()
    message = reference.parse_message(answer)
    assert message.message_class is reference.Class.RESPONSE
    assert message.transaction_id == request[8:20]
    assert message.check_message_integrity(net.peer.password)
    assert message.attributes["XOR-MAPPED-ADDRESS"] == ("127.0.0.1", sock.port)
    assert net.browser.moves == [address]


def test_a_check_by_another_implementation_is_answered(net: Net) -> None:
    sock, address = net.socket()
    request = reference.Message(reference.Method.BINDING, reference.Class.REQUEST)
    request.attributes |= {
        "USERNAME": f"{net.peer.fragment.decode()}:browser",
        "PRIORITY": 1,
        "ICE-CONTROLLING": 7,
        "SOFTWARE": "another",
    }
    request.add_message_integrity(net.peer.password)
    net.ice.handle(bytes(request), address, 1.0)
    assert len(sock.receive()) == 1


def test_repeated_checks_take_the_short_way_and_are_answered(net: Net) -> None:
    sock, address = net.socket()
    for second in range(3):
        net.ice.handle(net.check(), address, float(second))
    answers = [reference.parse_message(answer) for answer, _ in sock.receive()]
    assert len(answers) == 3
    assert all(answer.check_message_integrity(net.peer.password) for answer in answers)
    assert net.peer.consent_at == 2.0


def test_the_short_way_checks_the_signature_too(net: Net) -> None:
    sock, address = net.socket()
    net.ice.handle(net.check(), address, 1.0)
    net.ice.handle(net.check(password="wrong"), address, 20.0)
    assert net.ice.drops == {"stun-signature": 1}
    assert net.peer.consent_at == 1.0
    assert len(sock.receive()) == 1


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        ({"password": "wrong"}, "stun-signature"),
        ({"user": "unknown:browser"}, "stun-stranger"),
        ({"user": "unknown"}, "stun-stranger"),
        ({"role": stun.CONTROLLED}, "stun-kind"),
    ],
)
def test_checks_that_are_not_believed_are_dropped_without_an_answer(
    net: Net, fault: dict[str, Any], cause: str
) -> None:
    sock, address = net.socket()
    net.ice.handle(net.check(**fault), address, 1.0)
    assert net.ice.drops == {cause: 1}
    assert sock.receive() == []
    assert net.browser.moves == []


def test_another_browsers_fragment_is_not_believed(net: Net) -> None:
    _, address = net.socket()
    net.ice.handle(net.check(user=f"{net.peer.fragment.decode()}:another"), address, 1.0)
    assert net.ice.drops == {"stun-stranger": 1}


@pytest.mark.parametrize("cut", [0, 3, 19, 20, 40, -1, -4, -9, -30])
def test_checks_cut_off_are_dropped(net: Net, cut: int) -> None:
    _, address = net.socket()
    net.ice.handle(net.check()[:cut], address, 1.0)
    assert sum(net.ice.drops.values()) == 1
    assert net.browser.moves == []


def test_flipped_bits_are_dropped(net: Net) -> None:
    _, address = net.socket()
    good = net.check()
    for place in range(len(good)):
        bad = bytearray(good)
        bad[place] ^= 0x04
        net.ice.handle(bytes(bad), address, 1.0)
    assert sum(net.ice.drops.values()) == len(good)
    assert net.browser.moves == []


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (b"\x16\xfe\xff" + bytes(50), "dtls-unchecked"),
        (b"\x80\x6f" + bytes(50), "media-unchecked"),
        (b"\x80\xc8" + bytes(50), "media-unchecked"),
        (b"\x10" + bytes(50), "unknown"),
        (b"\x40" + bytes(50), "unknown"),
        (b"\xff" * 50, "unknown"),
        (b"\x00\x01" + bytes(30), "stun-malformed"),
        (b"", "size"),
        (b"\x80" * 1501, "size"),
    ],
)
def test_strangers_are_dropped_by_cause(net: Net, data: bytes, cause: str) -> None:
    _, address = net.socket()
    net.ice.handle(data, address, 1.0)
    assert net.ice.drops == {cause: 1}
    assert net.browser.dtls == net.browser.media == []


def test_after_a_check_packets_reach_their_owner(net: Net) -> None:
    _, address = net.socket()
    net.ice.handle(net.check(), address, 1.0)
    net.ice.handle(b"\x16dtls", address, 1.0)
    net.ice.handle(b"\x80media", address, 1.0)
    assert net.browser.dtls == [b"\x16dtls"]
    assert net.browser.media == [b"\x80media"]


def test_without_a_nomination_the_first_address_is_used_until_one_comes(net: Net) -> None:
    (_, first), (_, second) = net.socket(), net.socket()
    net.ice.handle(net.check(nominate=False), first, 1.0)
    net.ice.handle(net.check(nominate=False, priority=HIGH), second, 1.0)
    assert net.browser.moves == [first]
    net.ice.handle(net.check(), second, 1.0)
    assert net.browser.moves == [first, second]


def test_a_nomination_of_higher_priority_moves_the_peer(net: Net) -> None:
    (_, first), (_, second) = net.socket(), net.socket()
    net.ice.handle(net.check(priority=LOW), first, 1.0)
    net.ice.handle(net.check(priority=HIGH), second, 1.1)
    assert net.peer.address == second


def test_a_nomination_of_no_higher_priority_waits_until_the_old_way_is_silent(net: Net) -> None:
    (_, first), (_, second) = net.socket(), net.socket()
    net.ice.handle(net.check(), first, 1.0)
    net.ice.handle(net.check(), second, 2.0)
    assert net.peer.address == first
    net.ice.handle(b"\x80media", first, 2.4)  # genuine sound counts as a sign of life
    net.ice.handle(net.check(), second, 3.8)
    assert net.peer.address == first
    net.ice.handle(net.check(), second, 4.0)
    assert net.peer.address == second


def test_sound_from_a_nominated_address_moves_the_peer_once_the_old_way_is_silent(net: Net) -> None:
    """A router has forgotten a speaker's mapping. The next check comes within 2.5 s, the next packet after 20 ms."""
    (_, first), (_, second) = net.socket(), net.socket()
    net.ice.handle(net.check(), first, 1.0)
    net.ice.handle(b"\x80media", first, 2.0)
    net.ice.handle(net.check(), second, 2.1)
    net.ice.handle(b"\x80media", second, 3.4)
    assert net.peer.address == first
    net.ice.handle(b"\x80media", second, 3.6)
    assert net.peer.address == second
    net.ice.handle(b"\x80media", first, 3.7)  # late ones of the way before
    assert net.browser.moves == [first, second]


@pytest.mark.parametrize(("nominate", "genuine"), [(False, True), (True, False)])
def test_sound_from_an_address_without_nomination_and_forged_sound_move_no_peer(
    net: Net, nominate: bool, genuine: bool
) -> None:
    (_, first), (_, second) = net.socket(), net.socket()
    net.ice.handle(net.check(), first, 1.0)
    net.ice.handle(net.check(nominate=nominate), second, 2.0)
    net.browser.genuine = genuine
    net.ice.handle(b"\x80media", second, 9.0)
    assert net.peer.address == first


def test_forged_media_is_no_sign_of_life(net: Net) -> None:
    (_, first), (_, second) = net.socket(), net.socket()
    net.ice.handle(net.check(), first, 1.0)
    net.browser.genuine = False
    net.ice.handle(b"\x80media", first, 2.9)
    net.ice.handle(net.check(), second, 3.0)
    assert net.peer.address == second


def test_a_check_without_nomination_moves_no_peer(net: Net) -> None:
    (_, first), (_, second) = net.socket(), net.socket()
    net.ice.handle(net.check(), first, 1.0)
    net.ice.handle(net.check(nominate=False, priority=HIGH), second, 10.0)
    assert net.peer.address == first


def test_a_check_copied_from_its_way_is_worth_nothing_elsewhere(net: Net) -> None:
    (_, first), (_, second) = net.socket(), net.socket()
    request = net.check(priority=HIGH)
    net.ice.handle(request, first, 1.0)
    net.ice.handle(request, first, 1.1)  # sent again, as UDP may need
    net.ice.handle(request, second, 10.0)
    assert net.ice.drops == {"stun-replay": 1}
    assert net.peer.address == first


def test_a_peer_has_few_addresses_and_keeps_the_one_in_use(net: Net) -> None:
    ways = [net.socket()[1] for _ in range(12)]
    for address in ways:
        net.ice.handle(net.check(nominate=address == ways[0]), address, 1.0)
    assert len(net.peer.addresses) == 8
    assert net.peer.address == ways[0]
    net.ice.handle(b"\x80media", ways[0], 1.0)
    net.ice.handle(b"\x80media", ways[1], 1.0)
    assert net.browser.media == [b"\x80media"]


def test_a_port_used_by_the_next_peer_belongs_to_it(net: Net) -> None:
    _, address = net.socket()
    net.ice.handle(net.check(), address, 1.0)
    old, net.browser = net.browser, Browser()
    net.peer = IcePeer(net.browser, 1.0)
    net.ice.add(net.peer)
    net.ice.handle(net.check(), address, 2.0)
    net.ice.handle(b"\x80media", address, 2.0)
    assert old.media == []
    assert net.browser.media == [b"\x80media"]


def test_without_checks_consent_is_over(net: Net) -> None:
    _, address = net.socket()
    net.ice.handle(net.check(), address, 1.0)
    assert net.ice.expired(1.0 + CONSENT_SECONDS) == []
    assert net.ice.expired(1.1 + CONSENT_SECONDS) == [net.peer]


def test_a_removed_peer_is_a_stranger(net: Net) -> None:
    _, address = net.socket()
    net.ice.handle(net.check(), address, 1.0)
    net.ice.remove(net.peer)
    net.ice.handle(net.check(), address, 1.0)
    net.ice.handle(b"\x80media", address, 1.0)
    assert net.ice.drops == {"stun-stranger": 1, "media-unchecked": 1}
