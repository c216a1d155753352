"""Secrets of second factors: unreadable in the database, usable at log-in, and recovery codes are shown once."""

import importlib
import re
from types import SimpleNamespace
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.apps import apps
from django.core.cache import cache
from django.test import Client

from accounts.models import User
from tests.conftest import PASSWORD

SECRET = "JBSWY3DPEHPK3PXP"
SEED = "5eed" * 20
CODES = "/accounts/2fa/recovery-codes/"

migration: Any = importlib.import_module("accounts.migrations.0010_encrypted_factors")


@pytest.fixture(autouse=True)
def _no_earlier_attempts() -> None:
    cache.clear()


def code() -> str:
    return format_hotp_value(hotp_value(SECRET, next(iter(yield_hotp_counters_from_time()))))


def log_in(client: Client) -> Any:
    client.post("/accounts/login/", {"login": "hana", "password": PASSWORD})
    return client.post("/accounts/2fa/authenticate/", {"code": code()})


def stored() -> str:
    return " ".join(str(row.data) for row in Authenticator.objects.all())


def test_the_secret_is_not_in_the_database_and_its_codes_log_in(client: Client, hana: User) -> None:
    """A backup that was read by others made the codes of all staff."""
    TOTP.activate(hana, SECRET)
    assert SECRET not in stored()
    log_in(client)
    assert client.session["_auth_user_id"] == str(hana.pk)


def test_the_seed_of_recovery_codes_is_not_in_the_database(hana: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RecoveryCodes, "generate_seed", classmethod(lambda _: SEED))
    codes = RecoveryCodes.activate(hana)
    assert SEED not in stored()
    first, second = codes.get_unused_codes()[:2]
    assert [codes.validate_code(first), codes.validate_code(first), codes.validate_code(second)] == [True, False, True]


def test_with_another_key_the_code_is_refused_in_words(client: Client, hana: User, settings: Any) -> None:
    TOTP.activate(hana, SECRET)
    client.post("/accounts/login/", {"login": "hana", "password": PASSWORD})
    Authenticator.objects.update(data={"secret": "gAAAAA of another key"})
    answer = client.post("/accounts/2fa/authenticate/", {"code": code()})
    assert "second factor cannot be read any more" in answer.content.decode()
    assert "_auth_user_id" not in client.session


def test_the_migration_encrypts_what_is_there_and_can_be_repeated(client: Client, hana: User) -> None:
    Authenticator.objects.create(user=hana, type="totp", data={"secret": SECRET})
    Authenticator.objects.create(user=hana, type="recovery_codes", data={"seed": SEED, "used_mask": 1})
    migration.forwards(apps, SimpleNamespace())
    migration.forwards(apps, SimpleNamespace())
    assert SECRET not in stored()
    assert SEED not in stored()
    log_in(client)
    assert client.session["_auth_user_id"] == str(hana.pk)
    migration.backwards(apps, SimpleNamespace())
    assert {str(row.data.get("secret", row.data.get("seed"))) for row in Authenticator.objects.all()} == {SECRET, SEED}


def test_recovery_codes_are_shown_once(client: Client, hana: User) -> None:
    client.post("/accounts/login/", {"login": "hana", "password": PASSWORD})
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    TOTP.activate(hana, SECRET)
    codes = RecoveryCodes.activate(hana).get_unused_codes()
    first, second = (client.get(CODES).content.decode() for _ in range(2))
    assert re.findall(r"<code>(\d+)</code>", first) == codes
    assert not any(one in second for one in codes)
    assert "Recovery codes left: 10." in second
    assert client.get(f"{CODES}download/").status_code == 403
