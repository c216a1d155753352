"""What the processes say: one line each, of ours and of libraries, for people or as JSON."""

import json
import os
import subprocess
import sys

import pytest

from tests.rig.machine import CHECKOUT

SAY = """
import django; django.setup()
import logging, structlog
from django.core.exceptions import PermissionDenied
structlog.get_logger("rooms.events").info("space_started", space="abc")
from rooms.protocol.events import IceServers
from rooms.protocol.parts import IceServer
server = IceServer(urls=["turn:t"], username="9:me", credential="SAY-NOTHING")
structlog.get_logger("rooms").info("asked", password="SAY-NOTHING", deep=[{"Token": "SAY-NOTHING"}], handle="sol")
structlog.get_logger("rooms").info("sent", event_of=IceServers(servers=[server], seconds=9), credential="SAY-NOTHING")
logging.getLogger("library").warning("connects with %s", server, extra={"secret": "SAY-NOTHING"})
logging.getLogger("library").warning("slow %s", "disk", extra={"disk": "sda"})
logging.getLogger("library").debug("not said")
try:
    1 / 0
except ZeroDivisionError:
    structlog.get_logger("rooms").exception("broken")
try:
    raise PermissionDenied
except PermissionDenied as error:
    logging.getLogger("django.request").warning("Forbidden: %s", "/admin/", exc_info=error)
"""


def said(**environment: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", SAY], cwd=CHECKOUT, capture_output=True, text=True, check=True,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "spaces_project.settings"} | environment,
    )  # fmt: skip
    return done.stderr.splitlines()


def test_in_production_every_line_is_json() -> None:
    lines = [json.loads(line) for line in said(SPACES_DEMO="0")]
    lines = [line for line in lines if line["event"] not in ("asked", "sent") and "connects" not in line["event"]]
    assert [line["event"] for line in lines] == ["space_started", "slow disk", "broken", "Forbidden: /admin/"]
    assert [line["level"] for line in lines] == ["info", "warning", "error", "warning"]
    assert lines[0]["space"] == "abc"
    assert lines[1]["logger"] == "library"
    assert "ZeroDivisionError" in lines[2]["exception"]
    assert "exception" not in lines[3], "a refusal is one line"
    assert all(line["timestamp"].endswith("Z") for line in lines)


@pytest.mark.parametrize("demo", ["0", "1"])
def test_secrets_are_not_said(demo: str) -> None:
    lines = "\n".join(said(SPACES_DEMO=demo))
    assert "SAY-NOTHING" not in lines
    assert "asked" in lines
    assert "sol" in lines
    assert lines.count("***") == 4


def test_the_level_is_the_operators() -> None:
    assert len([json.loads(line) for line in said(SPACES_DEMO="0", LOG_LEVEL="warning")]) == 4


def test_in_the_demonstration_lines_are_for_people() -> None:
    lines = said(SPACES_DEMO="1")
    assert "space_started" in lines[0]
    assert "space=abc" in lines[0]
    assert not lines[0].startswith("{")
    assert "Forbidden: /admin/" in lines[-1], "and no traceback after it"
