"""Real-time priority for the thread of the sound, because a late tick is audible. Given up for a while under a rush.

With that priority a thread that never pauses leaves its core to no other. A rush of joins may keep it busy for seconds,
which is no reason to end a process with all its Spaces. So the kernel signals when the thread has run too long without
a pause (setrlimit(2), RLIMIT_RTTIME; SIGXCPU). Then it runs with the usual priority until the rush is over.
"""

import asyncio
import logging
import os
import resource
import signal
import time

RUNAWAY_SECONDS = 2.0  # of work without a pause
REST_SECONDS = 5.0  # without the priority after that
PAUSE_SECONDS = 1e-4  # a pause after which the kernel counts from 0 again

log = logging.getLogger(__name__)


class RealTime:
    """While entered: run this thread before all others, if the system allows it (root, CAP_SYS_NICE).

    Enter it in the main thread, which runs `loop`. Other threads and children keep the usual priority. Afterwards this
    thread has it, too, and no late signal of the kernel arrives.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._over = False

    def __enter__(self) -> None:
        self._before = signal.signal(signal.SIGXCPU, self._slow_down)
        _take()

    def __exit__(self, *failure: object) -> None:
        self._over = True
        _give_up()
        _limit(None)
        signal.signal(signal.SIGXCPU, self._before)

    def _slow_down(self, number: int, frame: object) -> None:
        _give_up()
        self._loop.call_soon_threadsafe(self._loop.call_later, REST_SECONDS, self._go_on)

    def _go_on(self) -> None:
        if not self._over:
            _take()


def _take() -> None:
    try:
        _limit(RUNAWAY_SECONDS)
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))
    except (OSError, ValueError):  # not allowed, or the hard limit is lower
        log.info("no real-time priority for the sound: the system does not allow it")
    else:
        time.sleep(PAUSE_SECONDS)


def _give_up() -> None:
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def _limit(seconds: float | None) -> None:
    hard = resource.getrlimit(resource.RLIMIT_RTTIME)[1]
    resource.setrlimit(resource.RLIMIT_RTTIME, (hard if seconds is None else round(seconds * 1e6), hard))
