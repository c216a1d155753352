"""The supervisor with small children of its own."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest

from spaces_project.machine import supervisor as supervising
from spaces_project.machine.processes import spawn, with_patience, working_in
from spaces_project.machine.supervisor import Child, Starter, StartFailed, Supervisor
from tests.rig.machine import CHECKOUT

PATIENCE = 20.0
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
)
QUIET = "import time; print('ready', flush=True); time.sleep(60)"


def program(code: str) -> Starter:
    def start(output: IO[bytes]) -> subprocess.Popen[bytes]:
        return spawn([sys.executable, "-c", code], stdout=output, stderr=subprocess.STDOUT)

    return start


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervisor(said: list[str]) -> Iterator[Supervisor]:
    one = Supervisor(said.append)
    yield one
    one.stop()


def heard(said: list[str], words: str) -> Callable[[], bool]:
    return lambda: any(words in line for line in said)


def test_output_is_passed_on_with_the_name_before_it(supervisor: Supervisor, said: list[str]) -> None:
    supervisor.add(Child("echo", program(QUIET)))
    assert supervisor.wait_until(heard(said, "echo | ready"), PATIENCE)


def test_a_child_that_dies_is_started_again_and_said_so(
    supervisor: Supervisor, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervising, "FIRST_PAUSE_SECONDS", 0.05)
    child = Child("media", program(QUIET), pause=0.05)
    supervisor.add(child)
    assert child.process is not None
    first = child.process
    first.kill()
    assert supervisor.wait_until(heard(said, "media started again."), PATIENCE)
    assert heard(said, "media ended (killed by SIGKILL). It starts again")()
    assert child.process is not first
    assert child.runs


def test_the_pause_doubles_while_a_child_keeps_dying(supervisor: Supervisor, said: list[str]) -> None:
    child = Child("media", program("raise SystemExit(3)"), pause=0.02)
    supervisor.add(child)
    assert supervisor.wait_until(lambda: child.pause >= 0.16, PATIENCE)
    assert heard(said, "media ended (exit 3)")()


@pytest.mark.parametrize(("code", "again"), [(0, False), (1, True)])
def test_a_child_that_may_end_is_started_again_only_after_a_failure(
    supervisor: Supervisor, said: list[str], code: int, again: bool
) -> None:
    child = Child("media-2", program(f"raise SystemExit({code})"), may_end=True, pause=0.02)
    supervisor.add(child)
    words = "media-2 started again." if again else "media-2 ended on request. It starts again with everything else."
    assert supervisor.wait_until(heard(said, words), PATIENCE)
    assert child.has_ended is not again


def test_a_child_that_does_not_stop_is_killed(
    supervisor: Supervisor, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervising, "CHILD_STOP_SECONDS", 0.1)
    child = Child("worker", program(STUBBORN))
    supervisor.add(child)
    assert supervisor.wait_until(heard(said, "ready"), PATIENCE)
    supervisor.stop()
    assert not child.runs
    assert heard(said, "worker did not stop within 0.1 s. It is killed.")()


def test_servers_stop_after_those_who_use_them(supervisor: Supervisor, said: list[str]) -> None:
    script = (
        "import os, signal, time; tell = lambda *_: os._exit(os.write(1, f'stopped {time.time()}\\n'.encode()) < 0);"
    )
    script += "signal.signal(signal.SIGTERM, tell); print('ready', flush=True); time.sleep(60)"
    supervisor.add_server(Child("redis", program(script)))
    supervisor.add(Child("web", program(script)))
    assert supervisor.wait_until(lambda: sum("ready" in line for line in said) == 2, PATIENCE)
    supervisor.stop()
    assert with_patience(lambda: sum("stopped" in line for line in said) == 2, PATIENCE), said  # read by threads
    stopped_at = {line.split()[0]: float(line.split()[-1]) for line in said if "stopped" in line}
    assert stopped_at["web"] < stopped_at["redis"]


def test_a_step_that_fails_is_named(supervisor: Supervisor, said: list[str]) -> None:
    with pytest.raises(StartFailed, match=r"prepare failed \(exit 2\)"):
        supervisor.run_once("prepare", program("print('no room'); raise SystemExit(2)"))
    assert heard(said, "prepare | no room")()


def test_a_step_that_succeeds_says_nothing(supervisor: Supervisor, said: list[str]) -> None:
    supervisor.run_once("prepare", program("pass"))
    assert said == []


def test_once_it_has_to_stop_it_waits_for_nothing(supervisor: Supervisor) -> None:
    supervisor.stopping = True
    before = time.monotonic()
    assert not supervisor.wait_until(lambda: False, PATIENCE)
    assert time.monotonic() - before < PATIENCE / 2


def test_no_child_outlives_a_killed_parent(tmp_path: Path) -> None:
    """kill -9 of the parent: the kernel sends the child a signal."""
    code = (
        "import sys, time; from spaces_project.machine.processes import spawn;"
        f"spawn([sys.executable, '-c', 'import time; time.sleep(60)'], cwd={str(tmp_path)!r}); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=CHECKOUT)
    try:
        assert with_patience(lambda: working_in(tmp_path) != [], PATIENCE)
    finally:
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    assert with_patience(lambda: working_in(tmp_path) == [], PATIENCE)
