"""Real-time priority: taken if allowed, given up under a rush, taken again."""

import asyncio
import os
import subprocess
import sys

import pytest

from rooms.media import priority

BUSY = """
import asyncio, os, time
from rooms.media import priority

priority.RUNAWAY_SECONDS, priority.REST_SECONDS = 0.2, 0.1

def work(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass

async def main():
    loop = asyncio.get_running_loop()
    with priority.RealTime(loop):
        policies = [os.sched_getscheduler(0)]
        work(1.5)
        policies.append(os.sched_getscheduler(0))
        async with asyncio.timeout(20):
            while os.sched_getscheduler(0) != policies[0]:
                await asyncio.sleep(0.01)
    policies.append(os.sched_getscheduler(0))
    print(*(policy & ~os.SCHED_RESET_ON_FORK for policy in policies))

asyncio.run(main())
work(0.5)  # as the interpreter may, at its end
"""


def test_a_rush_costs_the_priority_and_not_the_process() -> None:
    done = subprocess.run([sys.executable, "-c", BUSY], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() in (["2", "0", "0"], ["0", "0", "0"])  # SCHED_RR if it is allowed


async def test_if_the_system_allows_no_real_time_priority_it_runs_without(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refused(process: int, policy: int, param: os.sched_param) -> None:
        if policy != os.SCHED_OTHER:
            raise PermissionError

    monkeypatch.setattr(priority.os, "sched_setscheduler", refused)
    with caplog.at_level("INFO"), priority.RealTime(asyncio.get_running_loop()):
        pass
    assert "no real-time priority" in caplog.text
