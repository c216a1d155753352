"""What a running `runspaces` leaves for other commands of its folder."""

import os
from pathlib import Path

import pytest

from spaces_project.machine import running

PORT = {"SPACES_TEST_PORT": "8200"}


@pytest.fixture(autouse=True)
def _unset(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the variable, which `load` may set, taken away afterwards."""
    monkeypatch.setenv("SPACES_TEST_PORT", "")
    monkeypatch.delenv("SPACES_TEST_PORT")


def as_supervisor(monkeypatch: pytest.MonkeyPatch, is_one: bool) -> None:
    monkeypatch.setattr(running, "_runs", lambda pid: pid == str(os.getpid()) and is_one)


def test_it_is_read_while_it_runs_and_gone_afterwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    as_supervisor(monkeypatch, True)
    with running.published(tmp_path, PORT):
        running.load(tmp_path)
    assert os.environ["SPACES_TEST_PORT"] == "8200"
    assert running.OWNER not in os.environ
    assert list(tmp_path.iterdir()) == []


def test_the_environment_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    as_supervisor(monkeypatch, True)
    monkeypatch.setenv("SPACES_TEST_PORT", "9000")
    with running.published(tmp_path, PORT):
        running.load(tmp_path)
    assert os.environ["SPACES_TEST_PORT"] == "9000"


def test_the_file_of_one_that_was_killed_is_not_read(tmp_path: Path) -> None:
    with running.published(tmp_path, PORT):  # by this process, which is no supervisor, as after a kill and a reused id
        running.load(tmp_path)
    (tmp_path / running.FILE).write_text("SPACES_TEST_PORT=8200\n")
    running.load(tmp_path)
    assert "SPACES_TEST_PORT" not in os.environ


def test_without_a_file_nothing_is_taken(tmp_path: Path) -> None:
    before = dict(os.environ)
    running.load(tmp_path)
    assert dict(os.environ) == before
