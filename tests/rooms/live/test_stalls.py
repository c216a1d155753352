"""What the tests of moving Spaces take off a silence: the stalls in it, and no others."""

import pytest

from tests.rig.live.stalls import Stalls, longest_silence

HEARD = [0.0, 0.1, 1.3, 1.4, 2.0]


def test_stalls_at_other_times_excuse_no_silence() -> None:
    elsewhere = Stalls((0.0, 0.1), (1.3, 1.4), (1.5, 2.0))
    assert longest_silence(HEARD, elsewhere) == (pytest.approx(1.2), 0.0)


def test_stalls_in_it_do_as_far_as_they_are_in_it() -> None:
    assert longest_silence(HEARD, Stalls((0.05, 0.3), (1.2, 1.35))) == (pytest.approx(0.9), pytest.approx(0.3))


def test_the_longest_is_the_longest_without_them() -> None:
    assert longest_silence(HEARD, Stalls((0.2, 1.2))) == (pytest.approx(0.6), 0.0)
