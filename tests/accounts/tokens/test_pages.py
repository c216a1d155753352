"""The pages of API tokens."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from accounts import rules
from accounts.models import ApiToken, Scope, User
from accounts.models.tokens import digest_of
from tests.conftest import PASSWORD

LogIn = Callable[[User], Client]
FORM = {"name": "Backup", "scopes": ["read"], "days": "30"}


@pytest.fixture(autouse=True)
def _nothing_counted() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def with_password(browser: Client) -> Client:
    """The browser, in which the password has just been typed again."""
    browser.post("/accounts/reauthenticate/", {"password": PASSWORD})
    return browser


@pytest.fixture
def hanas(log_in: LogIn, hana: User) -> Client:
    return with_password(log_in(hana))


def key_on(page: str) -> str:
    return page.split("<code>")[1].split("</code>")[0]


def test_a_token_is_shown_once(hanas: Client, hana: User) -> None:
    page = hanas.post("/me/tokens/new/", FORM)
    key = key_on(page.content.decode())
    token = hana.api_tokens.get(digest=digest_of(key))
    assert (token.name, token.scopes, (token.expires_at - token.created_at).days) == ("Backup", ["read"], 30)
    assert "no-store" in page["Cache-Control"]
    listed = hanas.get("/me/tokens/").content.decode()
    assert "Backup" in listed
    assert "Read: what you can see" in listed
    assert key not in listed


def test_a_new_token_needs_the_password_again(log_in: LogIn, hana: User) -> None:
    browser = log_in(hana)  # not by password
    for answer in (browser.get("/me/tokens/new/"), browser.post("/me/tokens/new/", FORM)):
        assert (answer.status_code, answer.url.split("?")[0]) == (302, "/accounts/reauthenticate/")  # type: ignore[attr-defined]
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": ""}, "This field is required."),
        ({"name": "a\u202eb"}, "control character"),
        ({"scopes": []}, "This field is required."),
        ({"scopes": ["moderate"]}, "Select a valid choice."),
        ({"days": "366"}, "less than or equal to 365"),
        ({"days": "0"}, "greater than or equal to 1"),
    ],
)
def test_a_wrong_form_makes_nothing(hanas: Client, wrong: dict[str, Any], said: str) -> None:
    page = hanas.post("/me/tokens/new/", FORM | wrong).content.decode()
    assert said in page
    assert not ApiToken.objects.exists()


def test_a_refusal_is_said_in_the_form(hanas: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "token_refusal", lambda suspended, full: rules.Reason.TOO_MANY_TOKENS)
    assert "Revoke one first" in hanas.post("/me/tokens/new/", FORM).content.decode()


def test_only_staff_see_the_scope_of_staff(log_in: LogIn, hanas: Client, mo: User) -> None:
    assert 'value="moderate"' not in hanas.get("/me/tokens/new/").content.decode()
    assert 'value="moderate"' in with_password(log_in(mo)).get("/me/tokens/new/").content.decode()


def test_the_form_offers_the_days_of_the_setting(hanas: Client, settings: Any) -> None:
    settings.API_TOKEN_DAYS = 12
    assert 'value="12"' in hanas.get("/me/tokens/new/").content.decode()


def test_revoke(log_in: LogIn, hana: User) -> None:
    hana.make_token("Backup", [Scope.READ], 1)
    page = log_in(hana).post(f"/me/tokens/{hana.api_tokens.get().pk}/revoke/", follow=True).content.decode()
    assert "The token “Backup” no longer works." in page
    assert "You have no tokens" in page


def test_no_one_revokes_tokens_of_others(log_in: LogIn, client: Client, hana: User, dee: User) -> None:
    hana.make_token("Backup", [Scope.READ], 1)
    path = f"/me/tokens/{hana.api_tokens.get().pk}/revoke/"
    assert log_in(dee).post(path).status_code == 404
    assert client.post(path).status_code == 302
    assert log_in(hana).get(path).status_code == 405
    assert hana.api_tokens.exists()


@pytest.mark.parametrize("path", ["/me/tokens/", "/me/tokens/new/"])
def test_strangers_are_sent_to_the_log_in(client: Client, db: None, path: str) -> None:
    assert client.get(path).url.startswith("/accounts/login/")  # type: ignore[attr-defined]
