"""Says when the event loop of a web process does not answer, so that no one loses their place meanwhile.

A loop that hangs renews no leases and answers no page. Its members are not gone. A thread looks at the loop every
second. While the loop is late it keeps a key in Redis, and the sweeps count no one out as long as the key is there.
The key lasts a while longer, in which pages connect again. The thread of a killed process is gone, and so is its key.
"""

import asyncio
import threading
import time
from contextlib import suppress

import structlog
from django.conf import settings
from redis.exceptions import RedisError

from rooms.store import keys
from rooms.store.client import redis_client

LOOK_SECONDS = 1.0
LATE_SECONDS = 3.0  # without an answer of the loop
LONGEST_SECONDS = 120.0  # after that the process counts as gone
SETTLE_SECONDS = 5  # beyond the time in which a lost person may come back

log = structlog.get_logger(__name__)


class Watchdog:
    """Watches `loop` from a thread of its own until the process ends."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._answered = time.monotonic()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _answer(self) -> None:
        self._answered = time.monotonic()

    def _watch(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            late = time.monotonic() - self._answered
            if LATE_SECONDS < late < LONGEST_SECONDS:
                self._hold(late)
            with suppress(RuntimeError):  # the loop is closed: the process ends
                self._loop.call_soon_threadsafe(self._answer)

    def _hold(self, late: float) -> None:
        log.warning("loop_late", seconds=round(late, 1))
        try:
            redis_client().set(keys.HELD, 1, ex=settings.SPACES_AWAY_SECONDS + SETTLE_SECONDS)
        except RedisError:
            log.exception("loop_late_not_noted")


def is_held() -> bool:
    """Whether a web process does not answer, or did not until a moment ago."""
    return bool(redis_client().exists(keys.HELD))
