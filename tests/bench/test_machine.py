"""Cores, CPU time, memory, and the message if something is missing."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.rig import machine


def test_cpu_time_of_a_process_is_what_it_says_itself() -> None:
    end = time.process_time() + 0.2
    while time.process_time() < end:
        pass
    assert machine.cpu_seconds(os.getpid()) == pytest.approx(time.process_time(), abs=0.05)


def test_a_process_with_a_strange_name_is_read_too(tmp_path: Path) -> None:
    link = tmp_path / "a) 1 (b"
    link.symlink_to(sys.executable)
    with subprocess.Popen([link, "-c", "input()"], stdin=subprocess.PIPE) as process:
        assert machine.cpu_seconds(process.pid) < 60
        process.communicate(b"\n")


def test_a_process_that_has_ended_is_no_cheap_one() -> None:
    process = subprocess.Popen(["true"])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    with pytest.raises(machine.Failed, match=r"has ended$"):
        machine.cpu_seconds(process.pid)
    process.wait()
    assert machine.ended(process) == "its process ended with 0"


def test_how_a_process_was_ended() -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as process:
        assert machine.ended(process) == ""
        process.kill()
        process.wait()
        assert machine.ended(process) == "its process was ended by signal 9"


def test_memory_of_this_process() -> None:
    assert 20 < machine.memory_mb(os.getpid()) < 4000


def test_a_child_starts_on_the_core_that_was_chosen_and_this_process_returns() -> None:
    before = os.sched_getaffinity(0)
    core = max(before)
    with machine.on_core(core):
        said = subprocess.check_output([sys.executable, "-c", "import os; print(*os.sched_getaffinity(0))"])
    assert said.split() == [str(core).encode()]
    assert os.sched_getaffinity(0) == before


def test_a_server_gets_the_priority_of_a_node_if_that_is_allowed() -> None:
    asks = "import os; print(os.sched_getscheduler(0) == os.SCHED_RR)"
    may = subprocess.run(["chrt", "--rr", "1", "true"], capture_output=True).returncode == 0
    said = subprocess.check_output(machine.realtime_command([sys.executable, "-c", asks]), text=True)
    assert said == f"{may}\n"


async def test_the_share_of_a_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "cpu_seconds", lambda pid: 10.0 + time.monotonic() / 2)
    assert await machine.usage(1, 0.1) == pytest.approx(50, rel=0.01)


def test_a_missing_program_is_named_with_the_command_that_installs_it() -> None:
    with pytest.raises(machine.Missing, match=r"^no-such-program is missing: apt-get install its-package$"):
        machine.need_program("no-such-program", "its-package")


def test_a_benchmark_that_misses_something_ends_with_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def bench() -> None:
        machine.need_program("no-such-program")

    with pytest.raises(SystemExit) as end:
        machine.run(bench)
    assert end.value.code == "no-such-program is missing: apt-get install no-such-program"
