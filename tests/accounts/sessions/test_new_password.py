"""A new password ends what sessions and tokens have opened, in whatever way it is set."""

from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any
from unittest.mock import patch

import pytest
from django.core.management import call_command
from django.test import Client

from accounts import signals
from accounts.models import Scope, User
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)
NEW = "a longer way to coffee"


@pytest.fixture
def ended() -> Iterator[list[dict[str, Any]]]:
    """The signals of ended sessions, as long as the test takes."""
    heard: list[dict[str, Any]] = []

    def note(user: User, **kwargs: Any) -> None:
        heard.append({name: kwargs[name] for name in ("only", "kept") if kwargs.get(name)})

    signals.sessions_ended.connect(note)
    yield heard
    signals.sessions_ended.disconnect(note)


def by_row(user: User) -> None:
    user.set_password(NEW)
    user.save()


def by_field(user: User) -> None:
    user.set_password(NEW)
    user.save(update_fields=["password"])


def by_command(user: User) -> None:
    with patch("getpass.getpass", return_value=NEW):
        call_command("changepassword", user.handle, stdout=StringIO())


def by_removal(user: User) -> None:
    user.set_unusable_password()
    user.save(update_fields=["password"])


@pytest.mark.parametrize("change", [by_row, by_field, by_command, by_removal])
def test_all_sessions_and_tokens_end(sol: User, ended: list[Any], change: Callable[[User], None]) -> None:
    sol.make_token("a program", [Scope.READ], 1)
    change(User.objects.get(pk=sol.pk))
    assert {} in ended  # neither one session only, nor one that is kept
    assert not sol.api_tokens.exists()
    assert not User.objects.get(pk=sol.pk).check_password(PASSWORD)


def test_the_page_that_sets_a_first_password_goes_on(sol: User, ended: list[Any]) -> None:
    sol.set_unusable_password()
    sol.save(update_fields=["password"])
    ended.clear()
    browser = Client()
    browser.force_login(sol)
    sol.make_token("a program", [Scope.READ], 1)
    answer = browser.post("/accounts/password/set/", {"password1": NEW, "password2": NEW})
    assert answer.status_code == 302
    assert [set(one) for one in ended] == [{"only"}, {"kept"}]
    assert not sol.api_tokens.exists()
    assert browser.get("/me/profile/").status_code == 200


def test_a_stronger_hash_of_the_same_password_ends_nothing(sol: User, ended: list[Any], settings: Any) -> None:
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
        "django.contrib.auth.hashers.MD5PasswordHasher",
    ]
    before = sol.password
    assert sol.check_password(PASSWORD)
    assert sol.password != before
    assert ended == []


def test_other_fields_and_new_accounts_end_nothing(sol: User, ended: list[Any]) -> None:
    sol.set_password(NEW)
    sol.save(update_fields=["bio"])
    User.objects.create_user("ida", PASSWORD)
    assert ended == []
