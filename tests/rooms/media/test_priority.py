"""Real-time priority: taken where it is allowed, given up under a rush, taken again."""

import asyncio
import subprocess
import sys
from typing import Any

import pytest

from rooms.media import priority

BUSY = """
import asyncio, os, time
from rooms.media import priority

priority.RUNAWAY_SECONDS, priority.REST_SECONDS = 0.2, 0.1

async def main():
    loop = asyncio.get_running_loop()
    priority.hurry(loop)
    policies = [os.sched_getscheduler(0)]
    end = time.process_time() + 1.5
    while time.process_time() < end:
        pass
    policies.append(os.sched_getscheduler(0))
    async with asyncio.timeout(20):
        while os.sched_getscheduler(0) != policies[0]:
            await asyncio.sleep(0.01)
    print(*(policy & ~os.SCHED_RESET_ON_FORK for policy in policies))

asyncio.run(main())
"""


def test_a_rush_costs_the_priority_and_not_the_process() -> None:
    done = subprocess.run([sys.executable, "-c", BUSY], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() in (["2", "0"], ["0", "0"])  # SCHED_RR where it is allowed, then SCHED_OTHER


async def test_where_the_system_allows_no_real_time_priority_it_runs_without(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refused(*args: Any) -> None:
        raise PermissionError

    monkeypatch.setattr(priority.signal, "signal", lambda *args: None)
    monkeypatch.setattr(priority.resource, "setrlimit", lambda *args: None)
    monkeypatch.setattr(priority.os, "sched_setscheduler", refused)
    with caplog.at_level("INFO"):
        priority.hurry(asyncio.get_running_loop())
    assert "no real-time priority" in caplog.text
