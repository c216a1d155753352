"""What the long run calls good enough."""

import pytest

from bench.soak import shortfalls

GOOD = {
    "listeners": 1000,
    "lost_pct": 0.0999,
    "left_out_pct": 0.0,
    "audible_pct": 80,
    "broken": 0,
    "rig_missed_ticks": 0,
    "long_packets_pct": 51,
    "memory_mb_first": 100.0,
    "memory_mb_last": 105.0,
}


def test_what_is_good_enough() -> None:
    assert shortfalls(GOOD) == []
    assert shortfalls(GOOD | {"listeners": 100, "long_packets_pct": 0}) == []


@pytest.mark.parametrize(
    ("worse", "said"),
    [
        ({"lost_pct": 0.1}, "lost_pct 0.1"),
        ({"left_out_pct": 3.0}, "left_out_pct 3.0"),
        ({"broken": 1}, "broken 1"),
        ({"rig_missed_ticks": 2}, "rig_missed_ticks 2"),
        ({"audible_pct": 79}, "only 79 % of the packets had anything to hear"),
        ({"memory_mb_last": 105.1}, "memory grew from 100.0 to 105.1 MB"),
        ({"long_packets_pct": 50}, "only 50 % got packets of 60 ms"),
    ],
)
def test_what_is_not(worse: dict[str, float], said: str) -> None:
    assert shortfalls(GOOD | worse) == [said]
