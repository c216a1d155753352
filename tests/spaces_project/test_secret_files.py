"""Secrets that lie in files: `NAME_FILE` names the file whose content is the value of `NAME`."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from spaces_project import env
from tests.rig.machine import CHECKOUT, OF_THE_RUN

SECRET = "tea and biscuits"
HIDDEN = re.compile(r"SECRET|PASSWORD|TOKEN|_KEY$|^(DATABASE|REDIS)_URL$")
OF_THE_DEMONSTRATION = "SPACES_DEMO_"  # which makes its own


@pytest.fixture(autouse=True)
def _own_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(env, "TABLE", [])


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that TURN_SECRET_FILE names."""
    file = tmp_path / "turn_secret"
    monkeypatch.setenv("TURN_SECRET_FILE", str(file))
    monkeypatch.delenv("TURN_SECRET", raising=False)
    return file


def read() -> str:
    return env.text("TURN_SECRET", "", "Shared.", from_file=True)


@pytest.mark.parametrize("content", [SECRET, f"{SECRET}\n", f"{SECRET}\r\n"])
def test_the_value_is_the_content_without_its_last_newline(content: str, file: Path) -> None:
    file.write_bytes(content.encode())
    assert read() == SECRET


def test_only_one_newline_is_taken_off(file: Path) -> None:
    file.write_text(f" {SECRET} \n\n")
    assert read() == f" {SECRET} \n"


def test_both_are_an_error_that_shows_neither(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text(SECRET)
    monkeypatch.setenv("TURN_SECRET", "another one")
    with pytest.raises(ImproperlyConfigured) as refused:
        read()
    assert str(refused.value) == "TURN_SECRET and TURN_SECRET_FILE are both set; keep one of them"


def test_a_file_that_is_not_there(file: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match=rf"^TURN_SECRET_FILE='{file}' cannot be read: No such file"):
        read()


def test_a_folder(file: Path) -> None:
    file.mkdir()
    with pytest.raises(ImproperlyConfigured, match=r"cannot be read: Is a directory$"):
        read()


def test_a_file_that_is_no_text(file: Path) -> None:
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ImproperlyConfigured, match=rf"^TURN_SECRET_FILE='{file}' is not text$"):
        read()


@pytest.mark.parametrize("content", ["", "\n"])
def test_an_empty_file(content: str, file: Path) -> None:
    file.write_text(content)
    with pytest.raises(ImproperlyConfigured, match=rf"^TURN_SECRET_FILE='{file}' is empty$"):
        read()


def test_an_empty_name_means_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TURN_SECRET_FILE", "")
    monkeypatch.delenv("TURN_SECRET", raising=False)
    assert read() == ""


def test_what_is_no_secret_is_read_from_no_file(file: Path) -> None:
    file.write_text(SECRET)
    assert env.text("TURN_SECRET", "none", "Shared.") == "none"


def test_the_content_is_checked_and_a_refusal_does_not_show_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "database"
    file.write_text("postgres://spaces:se#cret@host/spaces\n")
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("DATABASE_URL_FILE", str(file))
    with pytest.raises(ImproperlyConfigured, match=r"^DATABASE_URL is not a complete address") as refused:
        env.url("DATABASE_URL", ("postgres",), "PostgreSQL.", from_file=True)
    assert "cret" not in str(refused.value)


def test_a_file_of_variables_does_not_override_a_secret_in_a_file(file: Path, tmp_path: Path) -> None:
    file.write_text(SECRET)
    (tmp_path / "demo.env").write_text("TURN_SECRET=of the demonstration\n")
    env.load_file(tmp_path / "demo.env")
    assert read() == SECRET


def of_the_settings(code: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run code after the settings were read with nothing but these variables."""
    own = {name: value for name, value in os.environ.items() if name not in OF_THE_RUN}
    command = [sys.executable, "-c", f"import json; from spaces_project import env, settings; {code}"]
    return subprocess.run(
        command, cwd=CHECKOUT, env=own | variables, capture_output=True, text=True, timeout=60, check=False
    )


def test_every_secret_of_the_settings_may_lie_in_a_file(tmp_path: Path) -> None:
    code = "print(json.dumps([[row.name, row.from_file] for row in env.TABLE]))"
    rows = dict(json.loads(of_the_settings(code, VAR_DIR=str(tmp_path)).stdout))
    assert {name for name, from_file in rows.items() if from_file} == {
        name
        for name in rows
        if HIDDEN.search(name) and not name.startswith(OF_THE_DEMONSTRATION) and not name.endswith("_DAYS")
    }


def test_the_settings_take_them(tmp_path: Path) -> None:
    secrets = {"SECRET_KEY": "k" * 50, "DATABASE_URL": "postgres://spaces:pass@db/spaces", "HLS_SECRET": "h" * 32}
    for name, value in secrets.items():
        (tmp_path / name).write_text(f"{value}\n")
    files = {f"{name}_FILE": str(tmp_path / name) for name in secrets}
    code = "print(json.dumps([settings.SECRET_KEY, settings.HLS_SECRET, settings.DATABASES['default']['HOST']]))"
    done = of_the_settings(code, VAR_DIR=str(tmp_path), **files)
    assert json.loads(done.stdout) == ["k" * 50, "h" * 32, "db"], done.stderr
