"""The watchdog of a web process: a loop that does not answer is noted, and one that does is not."""

import asyncio
import time
from collections.abc import Iterator

import pytest

from rooms.live import watchdog
from rooms.live.watchdog import Watchdog
from rooms.store import keys
from rooms.store.client import redis_client
from spaces_project.machine.processes import with_patience


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(watchdog, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(watchdog, "LATE_SECONDS", 0.5)
    redis_client().delete(keys.HELD)
    yield
    redis_client().delete(keys.HELD)


async def blocked(seconds: float) -> None:
    """A loop that one callback keeps busy."""
    dog = Watchdog(asyncio.get_running_loop())
    dog.start()
    await asyncio.sleep(0.2)
    time.sleep(seconds)  # noqa: ASYNC251 the fault itself
    await asyncio.sleep(0.2)
    await asyncio.to_thread(dog.stop)


def test_a_loop_that_answers_holds_nothing() -> None:
    asyncio.run(blocked(0.0))
    assert not watchdog.is_held()


def test_a_loop_that_hangs_holds_the_places_of_all_for_a_while(settings: object) -> None:
    settings.SPACES_AWAY_SECONDS = 20  # type: ignore[attr-defined]
    asyncio.run(blocked(1.5))
    assert watchdog.is_held()
    assert 0 < redis_client().ttl(keys.HELD) <= 25


def test_a_loop_that_hangs_too_long_counts_as_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "LONGEST_SECONDS", 0.6)
    monkeypatch.setattr(watchdog, "SETTLE_SECONDS", -19)
    asyncio.run(blocked(2.5))
    assert with_patience(lambda: not watchdog.is_held(), 10)


def test_a_loop_that_is_closed_ends_nothing() -> None:
    loop = asyncio.new_event_loop()
    loop.close()
    dog = Watchdog(loop)
    dog.start()
    time.sleep(0.2)
    dog.stop()
    assert not watchdog.is_held()
