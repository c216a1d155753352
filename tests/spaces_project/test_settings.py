"""Settings and the variables they come from."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from spaces_project import env


@pytest.fixture(autouse=True)
def _own_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(env, "TABLE", [])


@pytest.mark.django_db
def test_tests_run_on_postgresql() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        assert int(cursor.fetchone()[0]) >= 150000


def test_a_variable_of_the_wrong_kind_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB_PORT", "eighty")
    with pytest.raises(ImproperlyConfigured, match="WEB_PORT='eighty' is not a whole number"):
        env.integer("WEB_PORT", 8000, "Port.")


def test_a_number_below_the_least_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB_PORT", "0")
    with pytest.raises(ImproperlyConfigured, match="the least is 1"):
        env.integer("WEB_PORT", 8000, "Port.", least=1)


def test_a_number_above_the_most_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACES_MAX_SPEAKERS", "12")
    with pytest.raises(ImproperlyConfigured, match="the most is 11"):
        env.integer("SPACES_MAX_SPEAKERS", 11, "Speakers.", most=11)


def test_a_flag_knows_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEBUG", "Yes")
    assert env.flag("DEBUG", False, "Debug.") is True
    monkeypatch.setenv("DEBUG", "perhaps")
    with pytest.raises(ImproperlyConfigured, match="say 1 or 0"):
        env.flag("DEBUG", False, "Debug.")


def test_an_empty_variable_means_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOWED_HOSTS", "")
    assert env.names("ALLOWED_HOSTS", ["localhost"], "Hosts.") == ["localhost"]


def test_a_file_of_variables_does_not_override_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "demo.env"
    file.write_text("# made for tests\nSPACES_TEST_ONE=file\nSPACES_TEST_TWO=file\n")
    monkeypatch.setenv("SPACES_TEST_ONE", "environment")
    monkeypatch.setenv("SPACES_TEST_TWO", "")
    monkeypatch.delenv("SPACES_TEST_TWO")
    env.load_file(file)
    assert env.text("SPACES_TEST_ONE", "", "One.") == "environment"
    assert env.text("SPACES_TEST_TWO", "", "Two.") == "file"
