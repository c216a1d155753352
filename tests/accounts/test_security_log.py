"""The security log: each kind of event, with ids and the network, and without anything that anyone typed."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.mfa.totp.internal import auth as totp
from django.core import mail
from django.core.cache import cache
from django.test import Client
from structlog.testing import capture_logs

from accounts.models import User
from accounts.security_log import Kind
from spaces_project import logs
from tests.accounts.mail.conftest import address
from tests.conftest import PASSWORD

NEW_PASSWORD = "another long secret"
KINDS = {str(kind) for kind in Kind}


@pytest.fixture(autouse=True)
def _no_earlier_attempts(settings: Any) -> None:
    cache.clear()
    settings.EMAIL_HOST, settings.PUBLIC_URL = "smtp.example.org", "https://spaces.example.org"


@pytest.fixture
def lines() -> Iterator[list[Any]]:
    with capture_logs() as captured:
        yield captured


def events(lines: list[Any]) -> list[tuple[str, str | None]]:
    """Kind and member of each line of the security log."""
    return [(line["event"], line["member"]) for line in lines if line["event"] in KINDS]


def log_in(client: Client, login: str = "hana", password: str = PASSWORD) -> None:
    client.post("/accounts/login/", {"login": login, "password": password})


def test_log_in_and_log_out(client: Client, hana: User, lines: list[Any]) -> None:
    log_in(client)
    client.post("/accounts/logout/")
    assert events(lines) == [("logged_in", str(hana.pk)), ("logged_out", str(hana.pk))]
    assert lines[0]["network"] == "127.0.0.1"
    assert lines[0]["log_level"] == "info"


@pytest.mark.parametrize("remote", ["2001:db8::1", "::ffff:192.0.2.7"])
def test_the_network_stands_for_the_address(client: Client, hana: User, lines: list[Any], remote: str) -> None:
    client.post("/accounts/login/", {"login": "hana", "password": PASSWORD}, REMOTE_ADDR=remote)
    assert lines[0]["network"] == ("2001:db8::/64" if remote.startswith("2001") else "192.0.2.7")


@pytest.mark.parametrize("login", ["hana", "nosuchone"])
def test_a_wrong_password(client: Client, hana: User, lines: list[Any], login: str) -> None:
    log_in(client, login, "wrong")
    assert events(lines) == [("log_in_failed", str(hana.pk) if login == "hana" else None)]
    assert lines[0]["log_level"] == "warning"


FORGED = 'hana\n{"event":"x"}\x1b[2J'


@pytest.mark.parametrize("login", [FORGED, PASSWORD])
def test_nothing_that_was_typed_gets_into_a_line(client: Client, hana: User, lines: list[Any], login: str) -> None:
    """A new line would begin a forged line, and members type their password into the field for the handle."""
    log_in(client, login, "wrong")
    client.post("/accounts/login/", {"login": login, "password": login}, headers={"user-agent": FORGED})
    written = [json.dumps(line) for line in lines if line["event"] in KINDS]
    assert events(lines) == [("log_in_failed", None)] * 2
    assert not any("x1b" in line or "u001b" in line or "\\n" in line or PASSWORD in line for line in written)


def test_too_many_wrong_passwords(client: Client, hana: User, lines: list[Any]) -> None:
    for _ in range(7):
        log_in(client, password="wrong")
    assert [kind for kind, _ in events(lines)] == ["log_in_failed"] * 5 + ["locked_out"] * 2
    assert {member for _, member in events(lines)} == {str(hana.pk)}


def test_a_password_that_is_asked_again(client: Client, hana: User, lines: list[Any]) -> None:
    log_in(client)
    client.post("/accounts/reauthenticate/", {"password": "wrong"})
    assert events(lines)[1:] == [("password_refused", str(hana.pk))]


def test_a_new_password(client: Client, hana: User, lines: list[Any]) -> None:
    log_in(client)
    form = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    client.post("/accounts/password/change/", form)
    assert events(lines)[1:] == [("password_changed", str(hana.pk))]


def test_a_reset(client: Client, hana: User, lines: list[Any]) -> None:
    address(hana)
    client.post("/accounts/password/reset/", {"email": "hana@example.org"})
    path = re.search(r"/accounts/password/reset/key/\S+", str(mail.outbox[0].body))
    assert path is not None
    form = client.get(path[0], follow=True)
    client.post(form.request["PATH_INFO"], {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    assert events(lines) == [("password_reset", str(hana.pk))]
    assert path[0] not in json.dumps(lines)


def test_addresses(client: Client, hana: User, lines: list[Any]) -> None:
    log_in(client)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    client.post("/accounts/email/", {"action_add": "", "email": "new@example.org"})
    path = re.search(r"/accounts/confirm-email/\S+", str(mail.outbox[0].body))
    assert path is not None
    Client().post(path[0])
    client.post("/accounts/email/", {"action_remove": "", "email": "new@example.org"})
    mine = [kind for kind, member in events(lines) if member == str(hana.pk)]
    assert mine[1:] == ["address_added", "address_confirmed", "address_changed", "address_removed"]
    assert "new@example.org" not in json.dumps([line for line in lines if line["event"] in KINDS])


def test_second_factors(client: Client, hana: User, lines: list[Any], django_capture_on_commit_callbacks: Any) -> None:
    log_in(client)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    with django_capture_on_commit_callbacks(execute=True):
        client.get("/accounts/2fa/totp/activate/")
        secret = client.session["mfa.totp.secret"]
        code = totp.format_hotp_value(totp.hotp_value(secret, next(iter(totp.yield_hotp_counters_from_time()))))
        client.post("/accounts/2fa/totp/activate/", {"code": code})
        client.post("/accounts/2fa/recovery-codes/generate/")
        client.post("/accounts/2fa/totp/deactivate/")
    found = [(line["event"], line["factor"]) for line in lines if "factor" in line]
    assert ("factor_added", "totp") in found
    assert ("factor_renewed", "recovery_codes") in found
    assert ("factor_removed", "totp") in found
    assert secret not in json.dumps(lines)


def test_sign_up(client: Client, db: None, lines: list[Any]) -> None:
    client.post("/accounts/signup/", {"username": "kim", "password1": PASSWORD, "password2": PASSWORD})
    kim = str(User.objects.get().pk)
    assert events(lines) == [("signed_up", kim), ("logged_in", kim)]


def test_the_lines_are_written_at_every_level() -> None:
    assert logs.configure("error", as_json=True)["loggers"]["spaces.security"] == {"level": "INFO"}
