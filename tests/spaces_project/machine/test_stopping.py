"""`manage.py runspaces` gets a signal to stop, and ends in time with everything that it has started."""

import signal
import subprocess
import sys

import pytest

from spaces_project.machine.processes import with_patience
from tests.rig.machine import CHECKOUT, START_SECONDS, STOP_SECONDS, Machine

pytestmark = pytest.mark.alone


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["ctrl-c", "kill -9"])
def test_ended_while_it_starts_it_leaves_nothing(machine: Machine, number: int) -> None:
    with machine.log.open("wb") as out:
        machine.process = subprocess.Popen(
            [sys.executable, "manage.py", "runspaces", "--demo", "--no-bots", *machine.ports],
            cwd=CHECKOUT, env=machine.environment(), stdout=out, stderr=subprocess.STDOUT,
        )  # fmt: skip
    assert with_patience(lambda: (machine.var / "redis.log").exists(), START_SECONDS)
    assert machine.end(number) < STOP_SECONDS


def test_it_stops_in_time_and_a_second_start_reuses_the_data(site: Machine) -> None:
    site.rows("UPDATE accounts_user SET bio = 'kept' WHERE handle = 'sol' RETURNING 1")
    assert site.end(signal.SIGTERM) < STOP_SECONDS
    assert not (site.var / "running.env").exists()
    site.start()  # says everything into a new log
    assert site.rows("SELECT bio FROM accounts_user WHERE handle = 'sol'") == [("kept",)]
    assert (site.var / "running.env").exists()
