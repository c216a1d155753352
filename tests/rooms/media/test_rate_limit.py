"""The token bucket."""

from rooms.media.rate_limit import RateLimit


def test_a_burst_is_allowed_then_the_rate() -> None:
    limit = RateLimit(10.0, 5.0)
    assert [limit.allows(100.0) for _ in range(6)] == [True] * 5 + [False]
    assert limit.allows(100.11)
    assert not limit.allows(100.11)


def test_a_pause_saves_up_no_more_than_a_burst() -> None:
    limit = RateLimit(10.0, 2.0)
    assert [limit.allows(3600.0) for _ in range(3)] == [True, True, False]
    assert [limit.allows(7200.0) for _ in range(3)] == [True, True, False]


def test_asking_takes_nothing() -> None:
    limit = RateLimit(1.0, 1.0)
    assert limit.has_room(10.0)
    assert limit.has_room(10.0)
    limit.take()
    assert not limit.has_room(10.0)
