"""The floor does the real work: each receiver can decrypt what it sends, with its own state."""

import socket
from collections.abc import Iterator

import pytest
from pylibsrtp import Policy, Session

from bench.rig.floor import Floor, cpu_share, policy, sinks
from rooms.media.network import rtp

PAYLOADS = [b"\x78 first", b"\x78 second, and longer"]


@pytest.fixture(name="receivers")
def _receivers() -> Iterator[list[socket.socket]]:
    made = sinks(3)
    yield made
    for receiver in made:
        receiver.close()


def test_every_receiver_gets_every_packet_encrypted(receivers: list[socket.socket]) -> None:
    floor = Floor([receiver.getsockname()[1] for receiver in receivers])
    assert [floor.send(payload) for payload in PAYLOADS] == [3, 3]
    for receiver in receivers:
        session = Session(policy(Policy.SSRC_ANY_INBOUND, floor.key))
        datagrams = [receiver.recv(2000) for _ in PAYLOADS]
        assert not any(payload in data for payload, data in zip(PAYLOADS, datagrams, strict=True))
        packets = [rtp.parse(session.unprotect(data)) for data in datagrams]
        assert [packet.payload for packet in packets] == PAYLOADS
        assert packets[1].sequence == packets[0].sequence + 1
        assert packets[1].timestamp == packets[0].timestamp + 960
    floor.close()


def test_its_cost_is_measured_over_so_many_ticks(receivers: list[socket.socket]) -> None:
    floor = Floor([receiver.getsockname()[1] for receiver in receivers])
    assert 0 < cpu_share(floor, PAYLOADS, 0.06) < 100
    assert len([receivers[0].recv(2000) for _ in range(3)]) == 3
    floor.close()
