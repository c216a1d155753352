"""One payload to many: everybody's own unbroken sequence, whatever he gets and whoever comes and goes."""

import os
from collections.abc import Iterator

import pytest
from pylibsrtp import Policy, Session

from rooms.media import rtp
from rooms.media.fanout import Audience, FanOut
from rooms.media.udp import UdpPort


class Sink:
    """A listener with a socket and keys of his own."""

    row = -1

    def __init__(self, hall: "Hall") -> None:
        key = os.urandom(44)
        profile = Policy.SRTP_PROFILE_AEAD_AES_256_GCM
        self.port = hall.open_port()
        self.incoming = Session(Policy(key, Policy.SSRC_ANY_INBOUND, srtp_profile=profile))
        self.ssrc = 1000 + len(hall.sinks)
        outgoing = Session(Policy(key, Policy.SSRC_ANY_OUTBOUND, srtp_profile=profile))
        hall.fanout.add(self, outgoing, self.port.pack("127.0.0.1", self.port.port), 111, self.ssrc)

    def receive(self) -> list[rtp.RtpPacket]:
        return [rtp.parse(self.incoming.unprotect(data)) for data, _ in self.port.receive()]


class Hall:
    def __init__(self) -> None:
        self.ports: list[UdpPort] = []
        self.port = self.open_port()
        self.fanout = FanOut(self.port, 8)
        self.sinks: list[Sink] = []
        self.clock = 0

    def open_port(self) -> UdpPort:
        self.ports.append(UdpPort("127.0.0.1"))
        return self.ports[-1]

    def enter(self) -> Sink:
        self.sinks.append(Sink(self))
        return self.sinks[-1]

    def tick(self, **payloads: bytes) -> int:
        """Send ``all``, then what single rows (``row0``...) get instead."""
        if "all" in payloads:
            audience = Audience()
            for sink in self.sinks:
                if sink.row >= 0:
                    audience.add(sink)
            self.fanout.write(audience.rows, payloads.pop("all"))
        for name, payload in payloads.items():
            self.fanout.write(int(name[3:]), payload)
        self.clock += 960
        return self.fanout.flush(self.clock)


@pytest.fixture
def hall() -> Iterator[Hall]:
    hall = Hall()
    yield hall
    for port in hall.ports:
        port.close()


def test_everybody_gets_the_payload_under_his_own_numbers(hall: Hall) -> None:
    sinks = [hall.enter() for _ in range(3)]
    assert hall.tick(all=b"one") == 3
    assert hall.tick(all=b"second") == 3
    for sink in sinks:
        first, second = sink.receive()
        assert (first.payload, second.payload) == (b"one", b"second")
        assert (first.payload_type, first.ssrc) == (111, sink.ssrc)
        assert second.sequence == first.sequence + 1
        assert second.timestamp == (first.timestamp + 960) % 2**32
        assert first.sequence < 2**15 + 1


def test_who_gets_a_payload_of_his_own_keeps_his_sequence(hall: Hall) -> None:
    talker, listener = hall.enter(), hall.enter()
    hall.tick(all=b"everybody")
    hall.tick(all=b"everybody", row0=b"the others")
    hall.tick(all=b"everybody")
    packets = talker.receive()
    assert [packet.payload for packet in packets] == [b"everybody", b"the others", b"everybody"]
    assert [packet.sequence - packets[0].sequence for packet in packets] == [0, 1, 2]
    assert [packet.payload for packet in listener.receive()] == [b"everybody"] * 3


def test_who_gets_nothing_keeps_his_sequence_and_his_time_goes_on(hall: Hall) -> None:
    first, second = hall.enter(), hall.enter()
    hall.tick(all=b"x")
    assert hall.tick(row1=b"y") == 1
    hall.tick(all=b"z")
    packets = first.receive()
    assert packets[1].sequence == packets[0].sequence + 1
    assert packets[1].timestamp == (packets[0].timestamp + 2 * 960) % 2**32
    assert len(second.receive()) == 3


def test_nothing_written_is_nothing_sent(hall: Hall) -> None:
    hall.enter()
    hall.tick(all=b"x")
    assert hall.tick() == 0


def test_the_last_row_moves_into_the_one_that_becomes_free(hall: Hall) -> None:
    sinks = [hall.enter() for _ in range(4)]
    hall.tick(all=b"x")
    assert hall.fanout.remove(sinks[1]) is sinks[3]
    assert [sink.row for sink in sinks] == [0, -1, 2, 1]
    hall.tick(all=b"y")
    assert hall.fanout.remove(sinks[2]) is None
    hall.tick(all=b"z")
    for sink in (sinks[0], sinks[3]):
        packets = sink.receive()
        assert [packet.payload for packet in packets] == [b"x", b"y", b"z"]
        assert [packet.sequence - packets[0].sequence for packet in packets] == [0, 1, 2]
    assert len(sinks[1].receive()) == 1
    assert len(sinks[2].receive()) == 2


def test_a_listener_who_moved_is_sent_to_where_he_is(hall: Hall) -> None:
    sink = hall.enter()
    hall.tick(all=b"x")
    elsewhere = hall.open_port()
    hall.fanout.move(sink, elsewhere.pack("127.0.0.1", elsewhere.port))
    hall.tick(all=b"y")
    assert len(sink.receive()) == 1
    assert len(elsewhere.receive()) == 1


def test_sequence_and_srtp_roll_over(hall: Hall) -> None:
    sink = hall.enter()
    hall.fanout._sequences[0] = 65_530
    payloads = []
    for number in range(2_000):
        hall.tick(all=number.to_bytes(4, "big"))
        payloads += [int.from_bytes(packet.payload, "big") for packet in sink.receive()]
    assert payloads == list(range(2_000))
    assert hall.fanout.dropped == 0


def test_beyond_the_capacity_nobody_is_taken(hall: Hall) -> None:
    for _ in range(8):
        hall.enter()
    with pytest.raises(OverflowError):
        hall.enter()
    assert len(hall.fanout) == 8


def test_a_payload_too_large_is_refused(hall: Hall) -> None:
    hall.enter()
    with pytest.raises(ValueError, match="large"):
        hall.tick(all=bytes(1276))


def test_a_full_queue_is_counted_and_does_not_block(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        hall.enter()
    monkeypatch.setattr(hall.port, "send_many", lambda headers: 1)
    assert hall.tick(all=b"x") == 1
    assert hall.fanout.dropped == 2
