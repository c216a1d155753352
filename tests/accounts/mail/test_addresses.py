"""Addresses: given at sign-up, added, confirmed, changed, removed. No form tells whether an address is known."""

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client

from accounts.mail.notices import confirmed_address
from accounts.models import User
from tests.accounts.mail.conftest import address
from tests.conftest import PASSWORD

KNOWN, NEW = "hana@example.org", "new@example.org"
SIGN_UP = {"username": "kim", "password1": PASSWORD, "password2": PASSWORD}
PAGE = "/accounts/email/"


def add(client: Client, email: str) -> Any:
    return client.post(PAGE, {"action_add": "", "email": email})


def logged_in(user: User) -> Client:
    """A browser whose member has given the password just now."""
    client = Client()
    client.post("/accounts/login/", {"login": user.handle, "password": PASSWORD})
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    return client


def confirm(client: Client) -> Any:
    found = re.search(r"https://spaces.example.org(/accounts/confirm-email/\S+)", str(mail.outbox[-1].body))
    assert found is not None
    assert client.get(found[1]).status_code == 200
    return client.post(found[1])


def letters() -> list[tuple[str, str]]:
    return [(letter.to[0], str(letter.subject)) for letter in mail.outbox]


@pytest.mark.usefixtures("_mail")
@pytest.mark.parametrize("email", [KNOWN, NEW])
def test_sign_up_does_not_tell_whether_an_address_is_known(client: Client, hana: User, email: str) -> None:
    """It said "already registered", so anybody could ask for the addresses of members."""
    address(hana)
    answer = client.post("/accounts/signup/", SIGN_UP | {"email": email})
    assert (answer.status_code, answer["Location"]) == (302, "/")
    row = EmailAddress.objects.get(user__handle="kim")
    assert (row.email, row.verified) == (email, False)
    assert letters() == [(email, "Confirm your email address for spaces.example.org")]
    assert "@kim" in str(mail.outbox[0].body)
    assert confirmed_address(hana) == KNOWN


@pytest.mark.usefixtures("_mail")
def test_an_address_that_another_account_has_confirmed_is_not_taken_over(client: Client, hana: User, sol: User) -> None:
    address(hana)
    browser = logged_in(sol)
    assert add(browser, KNOWN).status_code == 302
    confirm(browser)
    assert (confirmed_address(hana), confirmed_address(sol)) == (KNOWN, "")


@pytest.mark.usefixtures("_mail")
def test_adding_an_address_needs_the_password_again(client: Client, hana: User) -> None:
    client.post("/accounts/login/", {"login": "hana", "password": PASSWORD})
    answer = add(client, NEW)
    assert answer["Location"].startswith("/accounts/reauthenticate/")
    assert not EmailAddress.objects.exists()
    client.post(answer["Location"], {"password": "wrong"})
    assert not EmailAddress.objects.exists()
    client.post(answer["Location"], {"password": PASSWORD})
    assert EmailAddress.objects.get().email == NEW


@pytest.mark.usefixtures("_mail")
def test_removing_an_address_needs_the_password_again(client: Client, hana: User) -> None:
    address(hana)
    client.post("/accounts/login/", {"login": "hana", "password": PASSWORD})
    answer = client.post(PAGE, {"action_remove": "", "email": KNOWN})
    assert answer["Location"].startswith("/accounts/reauthenticate/")
    assert confirmed_address(hana) == KNOWN


@pytest.mark.usefixtures("_mail")
def test_a_new_address_counts_when_it_is_confirmed_and_the_old_one_is_told(hana: User) -> None:
    address(hana)
    browser = logged_in(hana)
    add(browser, NEW)
    assert letters() == [(NEW, "Confirm your email address for spaces.example.org")]
    assert confirmed_address(hana) == KNOWN
    page = browser.get(PAGE).content.decode()
    assert "Not confirmed yet" in page
    assert 'name="action_send"' in page
    confirm(Client())
    hana.refresh_from_db()
    assert (confirmed_address(hana), hana.email) == (NEW, NEW)
    assert EmailAddress.objects.count() == 1
    assert letters()[1:] == [(KNOWN, "Your email address was changed")]
    assert "from hana@example.org to new@example.org" in str(mail.outbox[1].body)


@pytest.mark.usefixtures("_mail")
def test_a_removed_address_is_told(hana: User) -> None:
    address(hana)
    logged_in(hana).post(PAGE, {"action_remove": "", "email": KNOWN})
    assert not EmailAddress.objects.exists()
    assert letters() == [(KNOWN, "Your email address was removed")]


@pytest.mark.usefixtures("_mail")
@pytest.mark.parametrize("action", ["action_remove", "action_add"])
def test_an_address_that_was_never_confirmed_hears_of_no_change(hana: User, action: str) -> None:
    address(hana, verified=False)
    logged_in(hana).post(PAGE, {action: "", "email": KNOWN if action == "action_remove" else NEW})
    assert [to for to, _ in letters()] == ([] if action == "action_remove" else [NEW])
    if action == "action_add":
        confirm(Client())
        assert [to for to, _ in letters()] == [NEW]


@pytest.mark.usefixtures("_mail")
@pytest.mark.parametrize("verified", [True, False])
def test_a_changed_password_is_told_to_a_confirmed_address_only(hana: User, verified: bool) -> None:
    address(hana, verified=verified)
    form = {"oldpassword": PASSWORD, "password1": "another long secret", "password2": "another long secret"}
    logged_in(hana).post("/accounts/password/change/", form)
    assert letters() == ([(KNOWN, "Your password was changed")] if verified else [])


@pytest.mark.usefixtures("_mail")
def test_a_notice_names_the_time_the_device_and_the_way_out(hana: User) -> None:
    address(hana)
    browser = logged_in(hana)
    agent = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0 <b>'&\""
    browser.post(PAGE, {"action_remove": "", "email": KNOWN}, headers={"user-agent": agent, "host": "localhost"})
    body = str(mail.outbox[0].body)
    assert body.startswith("Hello @hana,\n")
    assert "Device: Firefox on Linux" in body
    assert "https://spaces.example.org/accounts/password/change/" in body
    assert body.endswith("spaces.example.org\nhttps://spaces.example.org/")
    assert "localhost" not in body
    assert "&" not in body


@pytest.mark.usefixtures("_mail")
def test_notices_are_in_the_language_of_the_page(hana: User) -> None:
    address(hana)
    browser = logged_in(hana)
    browser.post(PAGE, {"action_remove": "", "email": KNOWN}, headers={"accept-language": "de"})
    assert "wurde" in mail.outbox[0].subject
    assert "Hallo @hana" in str(mail.outbox[0].body)


@pytest.mark.usefixtures("_mail")
def test_an_unconfirmed_address_can_have_the_message_again(hana: User) -> None:
    address(hana, verified=False)
    logged_in(hana).post(PAGE, {"action_send": "", "email": KNOWN})
    confirm(Client())
    assert confirmed_address(hana) == KNOWN


@pytest.mark.usefixtures("_mail")
def test_a_link_of_an_address_that_was_removed_confirms_nothing(hana: User) -> None:
    browser = logged_in(hana)
    add(browser, NEW)
    browser.post(PAGE, {"action_remove": "", "email": NEW})
    path = re.search(r"/accounts/confirm-email/\S+", str(mail.outbox[0].body))
    assert path is not None
    assert "invalid or older" in client_text(Client(), path[0])


def client_text(client: Client, path: str) -> str:
    return client.get(path).content.decode()


def test_without_a_mail_server_no_page_asks_for_an_address(client: Client, hana: User, settings: Any) -> None:
    settings.EMAIL_HOST = ""
    assert 'name="email"' not in client_text(client, "/accounts/signup/")
    browser = logged_in(hana)
    page = client_text(browser, PAGE).partition("<main")[2]
    assert "This site does not send email, so it needs no address." in page
    assert "<form" not in page.partition("</main>")[0]
    assert add(browser, NEW).status_code == 404
    client.post("/accounts/signup/", SIGN_UP | {"email": NEW})
    assert User.objects.get(handle="kim").email == ""
    assert mail.outbox == []


def test_without_a_mail_server_an_address_can_be_removed(hana: User) -> None:
    address(hana)
    logged_in(hana).post(PAGE, {"action_remove": "", "email": KNOWN})
    assert not EmailAddress.objects.exists()
