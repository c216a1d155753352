"""The clock: absolute, catching up without a burst, leaving out ticks during which the process slept."""

import asyncio
from collections.abc import Callable
from typing import cast

import pytest

from rooms.media.clock import CATCH_UP_SECONDS, TICK_SECONDS, Ticker, percentile

Ticks = list[tuple[float, int]]


class Loop:
    """An event loop's clock and timer, without the loop."""

    def __init__(self) -> None:
        self.now, self.at, self.callback = 100.0, 0.0, lambda: None

    def time(self) -> float:
        return self.now

    def call_at(self, at: float, callback: Callable[[], None]) -> None:
        self.at, self.callback = at, callback

    def fire(self, late: float = 0.0) -> None:
        self.now = max(self.now, self.at + late)
        self.callback()


@pytest.fixture
def ticks() -> Ticks:
    return []


@pytest.fixture
def loop() -> Loop:
    return Loop()


@pytest.fixture
def ticker(loop: Loop, ticks: Ticks) -> Ticker:
    ticker = Ticker(
        cast(asyncio.AbstractEventLoop, loop), lambda at, missed: ticks.append((round(at - 100.0, 6), missed))
    )
    ticker.start()
    return ticker


def test_ticks_keep_to_the_clock_though_each_is_late(loop: Loop, ticker: Ticker, ticks: Ticks) -> None:
    for _ in range(5):
        loop.fire(late=0.004)
    assert ticks == [(round(TICK_SECONDS * number, 6), 0) for number in range(1, 6)]
    assert percentile(ticker.delays, 50) == pytest.approx(0.004)


def test_a_few_ticks_are_made_up_for_one_by_one(loop: Loop, ticker: Ticker, ticks: Ticks) -> None:
    loop.fire(late=0.05)
    assert loop.at == pytest.approx(loop.now + CATCH_UP_SECONDS)
    for _ in range(3):
        loop.fire()
    assert ticks == [(round(TICK_SECONDS * number, 6), 0) for number in range(1, 5)]
    assert ticker.missed == 0


def test_a_long_sleep_is_left_out(loop: Loop, ticker: Ticker, ticks: Ticks) -> None:
    loop.fire(late=1.01)
    loop.fire()
    assert ticks == [(1.02, 50), (1.04, 0)]
    assert ticker.missed == 50


def failing(at: float, missed: int) -> None:
    raise ZeroDivisionError


def test_a_tick_that_fails_is_followed_by_the_next(loop: Loop, ticker: Ticker, ticks: Ticks) -> None:
    good = ticker._tick
    ticker._tick = failing
    with pytest.raises(ZeroDivisionError):
        loop.fire()
    ticker._tick = good
    loop.fire()
    assert ticks == [(0.04, 0)]
