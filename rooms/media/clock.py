"""The 20 ms clock of a node, in the thread of its event loop."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable

import numpy as np

TICK_SECONDS = 0.02
MAX_BEHIND = 3  # late ticks that are made up for. More are left out: a burst of sound helps no listener
CATCH_UP_SECONDS = 0.005  # between two ticks that are made up for
REMEMBERED = 3000  # ticks, one minute


class Ticker:
    """Calls `tick(at, missed)` every 20 ms of an absolute clock.

    `at` is when the tick was due, in seconds of the loop's clock. `missed` ticks before it were left out because the
    process did not run. `durations` and `delays` hold how many seconds the latest ticks took and were late.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, tick: Callable[[float, int], None]) -> None:
        self._loop, self._tick = loop, tick
        self.durations: deque[float] = deque(maxlen=REMEMBERED)
        self.delays: deque[float] = deque(maxlen=REMEMBERED)
        self.missed = 0
        self._handle: asyncio.TimerHandle | None = None
        self.due = 0.0

    def latest(self, seconds: float) -> tuple[list[float], list[float]]:
        """The durations and the delays of the ticks of the last `seconds`."""
        count = max(1, round(seconds / TICK_SECONDS))
        return list(self.durations)[-count:], list(self.delays)[-count:]

    def start(self) -> None:
        """Begin, with the first tick in 20 ms."""
        self.due = self._loop.time() + TICK_SECONDS
        self._handle = self._loop.call_at(self.due, self._run)

    def stop(self) -> None:
        """Stop ticking."""
        if self._handle is not None:
            self._handle.cancel()

    def _run(self) -> None:
        now = self._loop.time()
        behind = int((now - self.due) / TICK_SECONDS)
        left_out = behind if behind > MAX_BEHIND else 0
        self.missed += left_out
        at = self.due + left_out * TICK_SECONDS
        self.due = at + TICK_SECONDS
        try:
            self._tick(at, left_out)
        finally:
            done = self._loop.time()
            self.delays.append(now - at)
            self.durations.append(done - now)
            self._handle = self._loop.call_at(max(self.due, now + CATCH_UP_SECONDS), self._run)


def percentile(seconds: Iterable[float], share: float) -> float:
    """The seconds below which `share` percent of the values lie, 0 if there are none."""
    values = list(seconds)
    return float(np.percentile(values, share)) if values else 0.0
