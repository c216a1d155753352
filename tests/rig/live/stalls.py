"""Moments at which the machine did not let this process, with its nodes and listeners, run in time."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

STALL = 0.03  # seconds, more than a packet
LOOK_SECONDS = 0.005
OWN = 0.5  # share of such a time in which it did run: then it is its own fault


class Stalls:
    """Stretches of time: from and until, on the monotonic clock."""

    def __init__(self, *stretches: tuple[float, float]) -> None:
        self._stretches = list(stretches)

    async def watch(self) -> None:
        """Note them until cancelled."""
        last, used = time.monotonic(), time.thread_time()
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            (last, before), (used, used_before) = (time.monotonic(), last), (time.thread_time(), used)
            if last - before > STALL and used - used_before < (last - before) * OWN:
                self._stretches.append((before, last))

    def within(self, begin: float, end: float) -> float:
        """The seconds of stalls from `begin` until `end`."""
        return sum(max(0.0, min(end, until) - max(begin, since)) for since, until in self._stretches)


@asynccontextmanager
async def watched() -> AsyncIterator[Stalls]:
    """The stalls from now on, while in here."""
    stalls = Stalls()
    watching = asyncio.create_task(stalls.watch())
    yield stalls
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching


def longest_silence(heard: Sequence[float], stalls: Stalls) -> tuple[float, float]:
    """The longest time between two of these moments, without stalls, and the stalls in it. Both in seconds."""
    pairs = ((begin, end, stalls.within(begin, end)) for begin, end in itertools.pairwise(heard))
    return max((end - begin - stalled, stalled) for begin, end, stalled in pairs)
