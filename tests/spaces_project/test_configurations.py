"""The configurations of docs/operating.md, as they stand there: the settings take them, the doctor finds no fault."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from spaces_project.env import read_file
from tests.machine import CHECKOUT, OF_THE_RUN

PAGE = (CHECKOUT / "docs" / "operating.md").read_text(encoding="utf-8")
CHECKS = ("secrets", "secure_context", "proxies", "announced_addresses")
# What the doctor finds, and what a node on port 40000 would tell browsers.
EXAMINE = f"""
import django, json
django.setup()
from django.conf import settings
from rooms.media import addresses
from spaces_project import doctor
found = [finding for name in {CHECKS} for finding in getattr(doctor, name)()]
told = [one.at(settings.MEDIA_PORT) for one in addresses.parse_all(settings.MEDIA_ANNOUNCE)]
print(json.dumps([[finding.detail for finding in found if not finding.ok], told]))
"""


def documented(name: str) -> str:
    found = re.search(rf"^<!-- configuration: {name} -->\n```\w+\n(.*?)```$", PAGE, re.DOTALL | re.MULTILINE)
    assert found is not None, name
    return found[1]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("home", [["203.0.113.7", 40000], ["192.168.178.20", 40000]]),
        ("server", [["203.0.113.7", 40000], ["2001:db8::7", 40000]]),
    ],
)
def test_a_configuration_is_taken_as_it_stands_and_has_no_fault(name: str, told: list[object], tmp_path: Path) -> None:
    file = tmp_path / "spaces.env"
    file.write_text(documented(name))
    own = {variable: value for variable, value in os.environ.items() if variable not in OF_THE_RUN}
    secrets = {"SECRET_KEY": "k" * 50, "MEDIA_SECRET": "m" * 50, "VAR_DIR": str(tmp_path / "var")}
    environment = own | secrets | read_file(file) | {"DJANGO_SETTINGS_MODULE": "spaces_project.settings"}
    done = subprocess.run(
        [sys.executable, "-c", EXAMINE], cwd=CHECKOUT, env=environment,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == [[], told]


@pytest.mark.parametrize(
    ("answer", "announced", "restarts"),
    [
        ("198.51.100.4 STREAM", "198.51.100.4,192.168.178.20", 1),
        ("203.0.113.7 STREAM", "203.0.113.7,192.168.178.20", 0),
        ("", "203.0.113.7,192.168.178.20", 0),
    ],
    ids=["another", "the same", "no answer"],
)
def test_the_script_follows_an_address_that_changes(answer: str, announced: str, restarts: int, tmp_path: Path) -> None:
    file, script, programs = tmp_path / "spaces.env", tmp_path / "script", tmp_path / "bin"
    file.write_text(documented("home"))
    script.write_text(documented("address").replace("/etc/spaces.env", str(file)))
    programs.mkdir()
    for name, does in (("getent", f'echo "{answer}"'), ("systemctl", f'echo "$@" >> {tmp_path}/done')):
        (programs / name).write_text(f"#!/bin/sh\n{does}\n")
        (programs / name).chmod(0o755)
    for _ in range(2):
        subprocess.run(["sh", script], env=os.environ | {"PATH": f"{programs}:{os.environ['PATH']}"}, check=True)
    assert read_file(file)["MEDIA_ANNOUNCE"] == announced
    done = (tmp_path / "done").read_text() if (tmp_path / "done").exists() else ""
    assert done == "restart spaces\n" * restarts
