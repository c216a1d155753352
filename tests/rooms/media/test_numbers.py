"""Numbers that wrap around."""

import pytest

from rooms.media.numbers import Unwrapper


@pytest.mark.parametrize(
    ("bits", "seen", "unwrapped"),
    [
        (16, [65_534, 65_535, 0, 65_533, 1], [65_534, 65_535, 65_536, 65_533, 65_537]),
        (32, [2**32 - 960, 0, 960], [2**32 - 960, 2**32, 2**32 + 960]),
        (16, [0, 65_535], [0, -1]),
        (16, [7, 7], [7, 7]),
    ],
)
def test_unwrapping_goes_on_and_back_a_little(bits: int, seen: list[int], unwrapped: list[int]) -> None:
    numbers = Unwrapper(bits)
    assert [numbers.unwrap(value) for value in seen] == unwrapped
