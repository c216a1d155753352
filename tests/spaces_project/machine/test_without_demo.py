"""Commands in a folder in which nothing runs: what they refuse, and what they start for themselves."""

import socket

import pytest

from spaces_project.machine.processes import with_patience
from tests.rig.machine import START_SECONDS, Machine


@pytest.mark.parametrize("missing", ["SECRET_KEY", "MEDIA_SECRET"])
def test_no_secret_has_a_default(machine: Machine, missing: str) -> None:
    secrets = {name: "x" * 50 for name in ("SECRET_KEY", "MEDIA_SECRET") if name != missing}
    done = machine.command("runspaces", *machine.ports, **secrets)
    assert done.returncode != 0
    assert f"{missing} is not set" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (machine.var / "demo.env").exists()


def test_without_demo_no_member_is_created(machine: Machine) -> None:
    secrets = {"SECRET_KEY": "x" * 50, "MEDIA_SECRET": "y" * 50}
    assert machine.command("prepare", **secrets).returncode == 0
    done = machine.command("shell", "-c", "from accounts.models import User; print(User.objects.count())", **secrets)
    assert done.stdout.strip().endswith("0"), done.stderr
    assert "known passwords" in machine.command("seed_demo", **secrets).stderr


def test_a_command_starts_the_servers_for_its_time(machine: Machine) -> None:
    done = machine.command("migrate", "--check", SECRET_KEY="x" * 50)
    assert done.returncode == 1, done.stderr  # nothing is applied yet, which only a database can answer
    assert with_patience(lambda: not machine.processes(), START_SECONDS)


def test_a_wrong_variable_is_one_line(machine: Machine) -> None:
    done = machine.command("migrate", WEB_PORT="eighty")
    assert done.returncode == 1
    assert done.stderr.startswith("manage.py: WEB_PORT='eighty' is not a port number")
    assert done.stderr.count("\n") == 1


def test_a_taken_udp_port_is_refused_too(machine: Machine) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", machine.media))
        done = machine.command("runspaces", "--demo", "--no-bots", *machine.ports)
    assert done.returncode != 0
    assert "--media-port" in done.stderr
