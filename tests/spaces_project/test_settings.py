"""Settings and the variables they come from."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from redis.connection import parse_url

from spaces_project import env
from tests.rig.machine import CHECKOUT


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
    with pytest.raises(ImproperlyConfigured, match=r"WEB_PORT='eighty' is not a whole number$"):
        env.integer("WEB_PORT", 8000, "Port.")


SHORT, OTHERS = "a1" * 15 + "b", "a1" * 16


@pytest.mark.parametrize(
    "value",
    ["change-me", SHORT, f'{OTHERS}"b $c', f"{OTHERS}-", f"{OTHERS} ", f"{OTHERS}\n", f"{OTHERS}é", f"{OTHERS}٣"],
)
def test_a_secret_that_others_read_from_a_file_is_letters_and_digits(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HLS_SECRET", value)
    with pytest.raises(ImproperlyConfigured) as refused:
        env.secret("HLS_SECRET", "Signs.")
    words = "HLS_SECRET has to be at least 32 letters and digits, such as the output of `openssl rand -hex 32`"
    assert str(refused.value) == words, "it does not show the secret"


def test_a_secret_that_others_read_from_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    assert env.secret("HLS_SECRET", "Signs.") == ""
    monkeypatch.setenv("HLS_SECRET", OTHERS)
    assert env.secret("HLS_SECRET", "Signs.") == OTHERS


def test_a_number_below_the_least_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB_PORT", "0")
    with pytest.raises(ImproperlyConfigured, match="it has to be at least 1"):
        env.integer("WEB_PORT", 8000, "Port.", least=1)


def test_a_number_above_the_most_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACES_MAX_SPEAKERS", "12")
    with pytest.raises(ImproperlyConfigured, match=r"^SPACES_MAX_SPEAKERS='12': it has to be at most 11$"):
        env.integer("SPACES_MAX_SPEAKERS", 11, "Speakers.", most=11)


@pytest.mark.parametrize("value", ["1", "65535"])
def test_a_port(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("WEB_PORT", value)
    assert env.port("WEB_PORT", 8000, "Port.") == int(value)


@pytest.mark.parametrize("value", ["0", "-1", "65536", "80a", "8000.5"])
def test_what_is_no_port(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("WEB_PORT", value)
    with pytest.raises(ImproperlyConfigured, match=f"^WEB_PORT='{value}'"):
        env.port("WEB_PORT", 8000, "Port.")


@pytest.mark.parametrize("value", ["0.0.0.0", "::", "192.168.1.5"])
def test_an_ip_address(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("MEDIA_BIND", value)
    assert env.ip("MEDIA_BIND", "127.0.0.1", "Address.") == value


@pytest.mark.parametrize("value", ["eth0", "localhost", "192.168.1", "::1/64", "127.0.0.1:40000"])
def test_what_is_no_ip_address(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("MEDIA_BIND", value)
    with pytest.raises(ImproperlyConfigured, match=f"^MEDIA_BIND='{value}' is not an IP address$"):
        env.ip("MEDIA_BIND", "127.0.0.1", "Address.")


def test_a_list_that_will_not_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def check(found: list[str]) -> None:
        raise ValueError(f"{len(found)} are too many")

    monkeypatch.setenv("MEDIA_ANNOUNCE", "a, b,")
    with pytest.raises(ImproperlyConfigured, match=r"^MEDIA_ANNOUNCE='a, b,': 2 are too many$"):
        env.names("MEDIA_ANNOUNCE", [], "Addresses.", check_all=check)


@pytest.mark.parametrize("value", ["redis://host:6379/0", "rediss://:s%23cret@[::1]:6380", "unix:///run/redis.sock"])
def test_an_address(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("REDIS_URL", value)
    assert env.url("REDIS_URL", ("redis", "rediss", "unix"), "Redis.", parse_url) == value


@pytest.mark.parametrize(
    "value", ["nonsense", "host:6379", "redis:/host", "redis://", "redis://host:0", "redis://host:99999",
              "redis://host?db=one", "redis://[::1", "redis://me:se#cret@host", "http://host"],
)  # fmt: skip
def test_what_is_no_address_is_refused_without_showing_it(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("REDIS_URL", value)
    with pytest.raises(ImproperlyConfigured, match=r"^REDIS_URL ") as refusal:
        env.url("REDIS_URL", ("redis", "unix"), "Redis.", parse_url)
    assert value not in str(refusal.value)
    assert "cret" not in str(refusal.value)


@pytest.mark.parametrize(
    "value", ["/hls/", "https://cdn.example.org/", "http://10.0.0.7:8080/a/b_c/", "https://[2001:db8::7]:8443/hls/"]
)
def test_addresses_of_files(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("HLS_URL", value)
    assert env.base("HLS_URL", "/hls/", "Files.") == value


@pytest.mark.parametrize(
    "value", ["/", "/hls", "/files/", "//cdn.example.org/hls/", "hls/", "nonsense", "https://", "https:///hls/",
              "https://cdn.example.org", "https://cdn.example.org/hls", "https://cdn.example.org/hls/?key=1/",
              "https://cdn.example.org/hls/#/", "https://me:secret@cdn.example.org/", "https://cdn.example.org:0/",
              "https://cdn.example.org:99999/", "https://cdn.example.org; script-src */", "ftp://cdn.example.org/"],
)  # fmt: skip
def test_addresses_that_cannot_have_files(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("HLS_URL", value)
    with pytest.raises(ImproperlyConfigured, match=r"^HLS_URL='"):
        env.base("HLS_URL", "/hls/", "Files.")


def test_a_home_of_an_unknown_user_is_no_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAR_DIR", "~no-such-user/var")
    with pytest.raises(ImproperlyConfigured, match=r"^VAR_DIR="):
        env.path("VAR_DIR", Path("var"), "Folder.", "var")


def test_a_flag_knows_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEBUG", "Yes")
    assert env.flag("DEBUG", False, "Debug.") is True
    monkeypatch.setenv("DEBUG", "perhaps")
    with pytest.raises(ImproperlyConfigured, match=r"DEBUG='perhaps' is not 1 or 0$"):
        env.flag("DEBUG", False, "Debug.")


def test_an_empty_variable_means_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOWED_HOSTS", "")
    assert env.names("ALLOWED_HOSTS", ["localhost"], "Hosts.") == ["localhost"]


def test_a_list_whose_parts_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTS", "1, 2")
    assert env.names("PORTS", [], "Ports.", int) == ["1", "2"]
    monkeypatch.setenv("PORTS", "1, two")
    with pytest.raises(ImproperlyConfigured, match=r"^PORTS='1, two': .*'two'"):
        env.names("PORTS", [], "Ports.", int)


def test_a_file_of_variables_does_not_override_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "demo.env"
    file.write_text("# made for tests\nSPACES_TEST_ONE=file\nSPACES_TEST_TWO=file\n")
    monkeypatch.setenv("SPACES_TEST_ONE", "environment")
    monkeypatch.setenv("SPACES_TEST_TWO", "")
    monkeypatch.delenv("SPACES_TEST_TWO")
    env.load_file(file)
    assert env.text("SPACES_TEST_ONE", "", "One.") == "environment"
    assert env.text("SPACES_TEST_TWO", "", "Two.") == "file"


@pytest.mark.parametrize(
    ("variables", "module"),
    [
        ({}, "django.core.mail.backends.dummy"),  # a reset link logs in, so the log of a real site must not show it
        ({"SPACES_DEMO": "1"}, "django.core.mail.backends.console"),
        ({"DEBUG": "1"}, "django.core.mail.backends.console"),
        ({"EMAIL_HOST": "smtp.example.org"}, "accounts.mail.backend"),
    ],
    ids=["a real site", "a demonstration", "debugging", "a mail server"],
)
def test_where_email_goes(variables: dict[str, str], module: str, tmp_path: Path) -> None:
    chosen = {"SPACES_DEMO": "0", "DEBUG": "0", "EMAIL_HOST": "", "VAR_DIR": str(tmp_path)} | variables
    ask = "from spaces_project import settings; print(settings.EMAIL_BACKEND)"
    done = subprocess.run(
        [sys.executable, "-c", ask], cwd=CHECKOUT, env=os.environ | chosen, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{module}.EmailBackend\n"
