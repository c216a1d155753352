"""The last line of the benchmark of listeners, and the list of all benchmarks."""

from collections.abc import Iterable

import pytest

from bench.__main__ import main, names
from bench.listeners import Shares, figures
from bench.rig.crowd import Hearing
from bench.rig.measure import Cost
from bench.rig.peers import Checker, TimedPacket
from rooms.media.client.tones import tone_packets
from rooms.media.sound.opus import DTX_PACKET
from rooms.media.units import FRAME


def test_the_ratios_are_of_the_middle_of_the_rounds() -> None:
    rounds = [Shares(0.04, 0.025, 0.04, 0.3), Shares(0.06, 0.02, 0.035, 0.15), Shares(0.05, 0.03, 0.05, 0.2)]
    assert figures(1000, rounds, 1.5) == {
        "bench": "listeners",
        "listeners": 1000,
        "cpu_pct_20": 0.05,
        "cpu_pct_60": 0.025,
        "audiobridge_pct": 1.5,
        "streaming_pct": 0.2,
        "floor_pct": 0.04,
        "ratio_audiobridge": 30.0,
        "ratio_streaming_20": 4.0,
        "ratio_streaming_60": 8.0,
        "ratio_floor": 1.25,
    }


def test_a_share_is_of_one_listener_without_the_room() -> None:
    assert Cost(room=5.0, whole=55.0, listeners=1000, hearing=Hearing([], 0.0)).per_listener == 0.05


def test_what_the_node_does_not_have_gets_no_figure() -> None:
    found = figures(1000, [Shares(0.05, 0.025, 0.04, 0.2), Shares(0.05, None, 0.04, 0.2)], 1.5)
    assert found["cpu_pct_60"] is None
    assert found["ratio_streaming_60"] is None


def test_without_a_checker_everything_counts_as_lost() -> None:
    assert Hearing([], 0.0).loss_pct == Hearing([], 0.0).left_out_pct == 100.0


async def test_silence_after_a_dtx_packet_is_not_missed_but_a_longer_one_is() -> None:
    checker = Checker()
    for number, place in enumerate((0, 20, 40, 80)):
        checker._check_sound(TimedPacket(number, DTX_PACKET, 0.0, place * FRAME))
    assert checker.span == 81 * FRAME
    assert checker.heard_samples == 61 * FRAME
    checker.port.close()


async def test_packets_that_were_never_sent_are_missed_though_no_number_is() -> None:
    checker = Checker()
    hear(checker, (0, 1, 2, 3, 6, 7, 8, 9))
    assert Hearing([checker], checker.since + 0.2).left_out_pct == pytest.approx(20.0)
    checker.reset()
    assert Hearing([checker], checker.since + 0.2).left_out_pct == 100.0
    checker.port.close()


async def test_a_stream_that_begins_late_or_stops_is_no_perfect_one() -> None:
    checker = Checker()
    hear(checker, range(50))
    assert Hearing([checker], checker.since + 1.0).shortfall == ""
    stopped = Hearing([checker], checker.since + 10.0)
    assert stopped.left_out_pct == pytest.approx(90, abs=2)
    assert "% of the time without one" in stopped.shortfall
    checker.reset()
    hear(checker, range(500, 550))
    assert Hearing([checker], checker.since + 11.0).left_out_pct == pytest.approx(91, abs=2)
    checker.port.close()


def hear(checker: Checker, numbers: Iterable[int]) -> None:
    """Let these packets of a tone arrive, each in its time after the last `reset`."""
    for number in numbers:
        at = checker.since + number * 0.02
        payload = tone_packets(440.0)[number % 50]
        checker.received.count(number, len(payload), at)
        checker._check_sound(TimedPacket(number, payload, at, (number * FRAME - 2 * FRAME) & 0xFFFFFFFF))


def test_every_benchmark_is_in_the_list_and_the_rig_is_none() -> None:
    assert names() == ["archive", "flood", "hls", "joins", "latency", "listeners", "loss", "rooms", "soak", "storm"]


def test_an_unknown_benchmark_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["listners"]) == 1
    assert "there are: archive" in capsys.readouterr().err
