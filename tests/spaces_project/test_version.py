"""The version stands in `pyproject.toml` alone. Pages, API, doctor and logs show it."""

import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client

import spaces_project
from accounts.models import User
from spaces_project.version import read_version
from tests.rig.machine import CHECKOUT, Machine

VERSION = spaces_project.__version__
LOGGED = """
import sys
sys.argv = ["test"]
import spaces_project.asgi
from celery import signals
signals.celeryd_after_setup.send(sender="worker@here")
signals.beat_init.send(sender=None)
"""


def test_it_is_read_from_the_project_file(tmp_path: Path) -> None:
    project = tmp_path / "pyproject.toml"
    project.write_text('[project]\nname = "spaces"\nversion = "7.8.9"\n')
    assert read_version(project) == "7.8.9"


def test_it_stands_in_one_place() -> None:
    """A number in quotes anywhere else would be forgotten at the next release."""
    files = [*CHECKOUT.glob("*.toml"), CHECKOUT / "Makefile", CHECKOUT / "manage.py"]
    for app in ("accounts", "rooms", "recordings", "moderation", "spaces_project", "templates", "bench"):
        files += [path for path in (CHECKOUT / app).rglob("*") if path.suffix in {".py", ".js", ".html"}]
    pattern = re.compile(rf"['\"]{re.escape(VERSION)}['\"]")
    found = [path.name for path in files if pattern.search(path.read_text(encoding="utf-8"))]
    assert found == ["pyproject.toml"]


def test_the_changelog_begins_with_it() -> None:
    headings = re.findall(r"^## (\S+)", (CHECKOUT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert next(heading for heading in headings if heading != "Unreleased") == VERSION


@pytest.mark.django_db
def test_the_foot_of_every_page_shows_it(client: Client) -> None:
    assert f"Spaces {VERSION}" in client.get("/accounts/login/").content.decode()


@pytest.mark.django_db
def test_the_foot_links_the_source_if_the_operator_named_it(client: Client, settings: object) -> None:
    assert "Source</a>" not in client.get("/accounts/login/").content.decode()
    settings.SPACES_SOURCE_URL = "https://git.example.org/spaces"  # type: ignore[attr-defined]
    assert 'href="https://git.example.org/spaces"' in client.get("/accounts/login/").content.decode()


def test_the_schema_of_the_api_shows_it(client: Client, lior: User) -> None:
    client.force_login(lior)
    answer = client.get("/api/schema/", headers={"Accept": "application/vnd.oai.openapi+json"})
    assert answer.json()["info"]["version"] == VERSION


@pytest.mark.django_db(transaction=True)
def test_the_doctor_shows_it_first() -> None:
    out = io.StringIO()
    call_command("doctor", stdout=out)
    assert out.getvalue().startswith(f"good     version: Spaces {VERSION}, Python ")


def test_web_worker_and_beat_log_it_when_they_start(tmp_path: Path) -> None:
    environment = os.environ | {"VAR_DIR": str(tmp_path), "DEBUG": "1"}
    done = subprocess.run(
        [sys.executable, "-c", LOGGED], cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=True
    )
    started = re.findall(r"started .*process=(\S+) version=(\S+)", done.stderr)
    assert started == [("web", VERSION), ("worker@here", VERSION), ("beat", VERSION)]


@pytest.mark.alone
def test_every_process_of_an_installation_logs_it(site: Machine) -> None:
    logs = "\n".join([site.said(), *(path.read_text(errors="replace") for path in site.var.glob("log/*"))])
    started = set(re.findall(rf"started .*process=([\w.]+)\S* version={re.escape(VERSION)}", logs))
    assert started == {"web", "celery", "mixer", "beat"}
    assert re.search(rf"Media node \S+ of Spaces {re.escape(VERSION)}: sound on", logs)
