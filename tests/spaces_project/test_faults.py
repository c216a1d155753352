"""A server that is gone is one line on standard error, whatever the command, and never a traceback."""

import os
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import kombu
import pytest
import redis
from django.core.exceptions import ImproperlyConfigured
from django.db import InterfaceError, OperationalError

from spaces_project.faults import in_one_line
from spaces_project.machine.embedded import EmbeddedError
from tests.rig.machine import CHECKOUT, free_port

DATABASE, REDIS = "the database cannot be used: ", "Redis cannot be used: "
ONE = str(uuid4())
GONE = [
    (("media", "list"), REDIS),
    (("media", "drain", "n1", "--wait"), REDIS),
    (("media", "stop", "n1"), REDIS),
    (("spaces", "list"), DATABASE),
    (("spaces", "end", "--all"), DATABASE),
    (("recordings", "list"), DATABASE),
    (("recordings", "verify"), DATABASE),
    (("import_members", "members.csv"), DATABASE),
    (("make_reviewer", "mo"), DATABASE),
    (("prepare",), DATABASE),
    (("simulate", "--space", ONE), DATABASE),
    (("createsuperuser", "--noinput", "--handle", "mo"), DATABASE),
]


def asked(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command, with addresses in the environment at which no server answers."""
    (folder / "members.csv").write_text("handle,display_name,email,bio\nada,Ada,,\n")
    environment = os.environ | {
        "VAR_DIR": str(folder),
        "DATABASE_URL": f"postgres://spaces:s3cret@127.0.0.1:{free_port()}/spaces",
        "REDIS_URL": f"redis://:s3cret@127.0.0.1:{free_port()}/0",
    }
    return subprocess.run(
        [sys.executable, CHECKOUT / "manage.py", *arguments], cwd=folder, env=environment,
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "words"),
    [pytest.param(*one, marks=() if number % 6 == 0 or number == 3 else pytest.mark.proof)
     for number, one in enumerate(GONE)],
    ids=lambda value: " ".join(value),
)  # fmt: skip
def test_a_server_that_is_gone_is_one_line(arguments: tuple[str, ...], words: str, tmp_path: Path) -> None:
    done = asked(tmp_path, *arguments)
    assert done.returncode == 1, done.stderr
    assert done.stderr.startswith(f"manage.py: {words}")
    assert "refused; `manage.py doctor` says more" in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""
    assert "s3cret" not in done.stderr


def test_with_traceback_all_of_it_is_shown(tmp_path: Path) -> None:
    done = asked(tmp_path, "media", "--traceback", "list")
    assert done.returncode == 1
    assert "Traceback" in done.stderr


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (ImproperlyConfigured("A=1 is not 2"), "A=1 is not 2"),
        (EmbeddedError("var belongs to another user"), "var belongs to another user"),
        (OperationalError('password for "spaces" is wrong\n\tmore'), f'{DATABASE}password for "spaces" is wrong; '),
        (InterfaceError("the connection is closed"), f"{DATABASE}the connection is closed; "),
        (redis.AuthenticationError("invalid username-password pair"), f"{REDIS}invalid username-password pair; "),
        (redis.TimeoutError(), f"{REDIS}TimeoutError; "),
        (kombu.exceptions.OperationalError("Error 111."), f"{REDIS}Error 111; "),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_faults_that_are_not_the_programs_own(fault: Exception, words: str) -> None:
    with pytest.raises(SystemExit) as ended, in_one_line(["manage.py", "media", "list"]):
        raise fault
    assert str(ended.value.code).startswith(f"manage.py: {words}")
    assert "\n" not in str(ended.value.code)


def test_a_fault_of_the_program_is_none_of_them() -> None:
    with pytest.raises(redis.ResponseError), in_one_line(["manage.py", "media", "list"]):
        raise redis.ResponseError("WRONGTYPE")
