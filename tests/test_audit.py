"""The audit of locked versions: what it says, when it fails, and that the lock stays above the security releases."""

import re
import subprocess

import pytest

from tests.rig import audit
from tests.rig.machine import CHECKOUT

CLEAN = {"name": "django", "version": "5.2.19", "vulns": []}
BAD = {"name": "pillow", "version": "12.0.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["13.0.0"]}]}
UNKNOWN = {"name": "av", "skip_reason": "Dependency not found on PyPI"}


def answering(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 1, stdout=text, stderr="one\nConnectionError: no route")

    monkeypatch.setattr(audit.subprocess, "run", run)


def test_a_known_vulnerability_fails_with_its_fix(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said, clean = audit.verdict("requirements.txt", [CLEAN, BAD])
    assert not clean
    assert said == "requirements.txt: 2 of 2 packages audited\n  pillow 12.0.0: PYSEC-1, fixed in 13.0.0"
    answering(
        '{"dependencies": [{"name": "a", "version": "1", "vulns": [{"id": "X", "fix_versions": []}]}]}', monkeypatch
    )
    assert audit.main() == 1
    assert "a 1: X, fixed in no version" in capsys.readouterr().out


def test_what_the_registry_does_not_know_is_named() -> None:
    said, clean = audit.verdict("requirements.txt", [CLEAN, UNKNOWN])
    assert clean
    assert "1 of 2 packages audited" in said
    assert "NOT AUDITED, the registry has no data on: av" in said
    assert audit.verdict("requirements.txt", [UNKNOWN])[0].endswith("the registry has no data on: all")


def test_a_registry_that_does_not_answer_is_said_and_is_no_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answering("", monkeypatch)
    assert audit.main() == 0
    assert "requirements.txt: NOT AUDITED, pip-audit ended with: ConnectionError: no route" in capsys.readouterr().out


def test_the_locks_hold_hashes_and_no_address() -> None:
    for name in audit.LOCKS:
        text = (CHECKOUT / name).read_text(encoding="utf-8")
        assert "://" not in text
        entries = re.findall(r"^[\w.-]+==.*(?:\n    --hash=.*)*", text, re.MULTILINE)
        assert len(entries) > 50
        assert [entry for entry in entries if "--hash=sha256:" not in entry] == []


def test_security_releases_are_the_floors() -> None:
    """A stale mirror cannot lead a new lock back below a fix."""
    floors = dict(
        re.findall(r"^([\w-]+)(?:\[\w+\])?>=([\d.]+)", (CHECKOUT / "requirements.in").read_text(), re.MULTILINE)
    )
    wanted = {
        "django": "5.2.18",
        "django-allauth": "65.19.4",
        "daphne": "4.2.2",
        "Pillow": "13",
        "aiohttp": "3.14.3",
        "cryptography": "50.0.0",
    }
    assert {name: floors.get(name) for name in wanted} == wanted
