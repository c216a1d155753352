"""Codes of a second factor: long enough, and good for one log-in."""

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth
from django.core.cache import cache

from accounts.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_code_is_used() -> None:
    cache.clear()


def code_of(secret: str) -> str:
    """What the app shows now."""
    return auth.format_hotp_value(auth.hotp_value(secret, next(auth.yield_hotp_counters_from_time())))


def test_a_code_of_the_app_works_once(mo: User) -> None:
    secret = auth.generate_totp_secret()
    app = auth.TOTP.activate(mo, secret)
    code = code_of(secret)
    assert len(code) == 6
    assert app.validate_code(code)
    assert not app.validate_code(code)


def test_a_recovery_code_works_once_and_cannot_be_guessed(mo: User) -> None:
    codes = RecoveryCodes.activate(mo)
    [first, *others] = codes.get_unused_codes()
    assert len(others) == 9
    assert all(len(code) >= 8 for code in (first, *others))
    assert codes.validate_code(first)
    again = RecoveryCodes(Authenticator.objects.get(pk=codes.instance.pk))
    assert not again.validate_code(first)
    assert again.get_unused_codes() == others
