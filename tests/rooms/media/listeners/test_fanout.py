"""One payload to many: each listener has an unbroken sequence, whatever it gets and whichever peers come and go."""

import pytest

from tests.rig.media.listeners import FanOutRig


def test_each_listener_gets_the_payload_under_its_own_numbers(rig: FanOutRig) -> None:
    sinks = [rig.enter() for _ in range(3)]
    assert rig.tick(all=b"one") == 3
    assert rig.tick(all=b"second") == 3
    for sink in sinks:
        first, second = sink.receive()
        assert (first.payload, second.payload) == (b"one", b"second")
        assert (first.payload_type, first.ssrc) == (111, sink.ssrc)
        assert second.sequence == first.sequence + 1
        assert second.timestamp == (first.timestamp + 960) % 2**32
        assert first.sequence < 2**15 + 1


def test_a_listener_with_its_own_payload_keeps_its_sequence(rig: FanOutRig) -> None:
    talker, listener = rig.enter(), rig.enter()
    rig.tick(all=b"all")
    rig.tick(all=b"all", row0=b"the others")
    rig.tick(all=b"all")
    packets = talker.receive()
    assert [packet.payload for packet in packets] == [b"all", b"the others", b"all"]
    assert [packet.sequence - packets[0].sequence for packet in packets] == [0, 1, 2]
    assert [packet.payload for packet in listener.receive()] == [b"all"] * 3


def test_a_listener_without_a_payload_keeps_its_sequence_and_its_time_goes_on(rig: FanOutRig) -> None:
    first, second = rig.enter(), rig.enter()
    rig.tick(all=b"x")
    assert rig.tick(row1=b"y") == 1
    rig.tick(all=b"z")
    packets = first.receive()
    assert packets[1].sequence == packets[0].sequence + 1
    assert packets[1].timestamp == (packets[0].timestamp + 2 * 960) % 2**32
    assert len(second.receive()) == 3


def test_nothing_written_is_nothing_sent(rig: FanOutRig) -> None:
    rig.enter()
    rig.tick(all=b"x")
    assert rig.tick() == 0


def test_the_last_row_moves_into_the_one_that_becomes_free(rig: FanOutRig) -> None:
    sinks = [rig.enter() for _ in range(4)]
    rig.tick(all=b"x")
    assert rig.fanout.remove(sinks[1]) is sinks[3]
    assert [sink.row for sink in sinks] == [0, -1, 2, 1]
    rig.tick(all=b"y")
    assert rig.fanout.remove(sinks[2]) is None
    rig.tick(all=b"z")
    for sink in (sinks[0], sinks[3]):
        packets = sink.receive()
        assert [packet.payload for packet in packets] == [b"x", b"y", b"z"]
        assert [packet.sequence - packets[0].sequence for packet in packets] == [0, 1, 2]
    assert len(sinks[1].receive()) == 1
    assert len(sinks[2].receive()) == 2


def test_a_listener_who_moved_gets_packets_at_the_new_address(rig: FanOutRig) -> None:
    sink = rig.enter()
    rig.tick(all=b"x")
    elsewhere = rig.open_port()
    rig.fanout.move(sink, elsewhere.pack("127.0.0.1", elsewhere.port))
    rig.tick(all=b"y")
    assert len(sink.receive()) == 1
    assert len(elsewhere.receive()) == 1


def test_sequence_and_srtp_roll_over(rig: FanOutRig) -> None:
    sink = rig.enter()
    rig.fanout._sequences[0] = 65_530
    payloads = []
    for number in range(2_000):
        rig.tick(all=number.to_bytes(4, "big"))
        payloads += [int.from_bytes(packet.payload, "big") for packet in sink.receive()]
    assert payloads == list(range(2_000))
    assert rig.fanout.dropped == 0


def test_beyond_the_capacity_no_listener_is_taken(rig: FanOutRig) -> None:
    for _ in range(8):
        rig.enter()
    with pytest.raises(OverflowError):
        rig.enter()
    assert len(rig.fanout) == 8


def test_a_payload_too_large_is_refused(rig: FanOutRig) -> None:
    rig.enter()
    with pytest.raises(ValueError, match="large"):
        rig.tick(all=bytes(1276))


def test_a_full_queue_is_counted_and_does_not_block(rig: FanOutRig, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        rig.enter()
    monkeypatch.setattr(rig.port, "send_many", lambda headers: 1)
    assert rig.tick(all=b"x") == 1
    assert rig.fanout.dropped == 2
