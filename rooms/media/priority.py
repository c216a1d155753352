"""Real-time priority for the thread of the sound, since a late tick is heard; given up for a while under a rush.

A thread with that priority which never pauses leaves its core to nobody else. A rush of joins may keep it busy for
seconds, though, and is no reason to end a process with all its Spaces: the kernel says when it has gone on for too long
(setrlimit(2), RLIMIT_RTTIME; SIGXCPU), and then it runs like everybody else until the rush is over.
"""

import asyncio
import logging
import os
import resource
import signal

RUNAWAY_SECONDS = 2.0  # of work without a pause
REST_SECONDS = 5.0  # without the priority after that

log = logging.getLogger(__name__)


def hurry(loop: asyncio.AbstractEventLoop) -> None:
    """Run this thread before all others where the system allows it (root, CAP_SYS_NICE); from the main thread.

    Other threads and children run as usual.
    """

    def slow_down(number: int, frame: object) -> None:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        loop.call_soon_threadsafe(loop.call_later, REST_SECONDS, _take)

    signal.signal(signal.SIGXCPU, slow_down)
    _take()


def _take() -> None:
    try:
        resource.setrlimit(resource.RLIMIT_RTTIME, (round(RUNAWAY_SECONDS * 1e6), resource.RLIM_INFINITY))
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))
    except (OSError, ValueError):  # not allowed, or the hard limit is lower
        log.info("no real-time priority for the sound: the system does not allow it")
