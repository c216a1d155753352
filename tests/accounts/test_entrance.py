"""Sign up, log in, log out, change and reset the password."""

import re
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client

from accounts.handles import RESERVED_HANDLES
from accounts.models import User
from tests.conftest import PASSWORD
from tests.rig.rights import give

NEW = {"username": "Kim_1", "display_name": "Kim", "email": "", "password1": PASSWORD, "password2": PASSWORD}


@pytest.fixture(autouse=True)
def _no_earlier_attempts() -> None:
    cache.clear()


def errors(answer: Any) -> str:
    return " ".join(re.findall(r'class="errorlist[^>]*>(.*?)</ul>', answer.content.decode(), re.DOTALL))


def test_sign_up_makes_a_member_who_is_logged_in(client: Client, db: None) -> None:
    answer = client.post("/accounts/signup/", NEW)
    assert (answer.status_code, answer["Location"]) == (302, "/")
    kim = User.objects.get()
    assert (kim.handle, kim.display_name, kim.is_staff, kim.follower_count) == ("kim_1", "Kim", False, 0)
    assert client.get("/people/kim_1/").status_code == 200


@pytest.mark.parametrize(
    ("handle", "said"),
    [
        ("ab", "3 to 30 characters"),
        ("x" * 31, "at most 30"),
        ("has space", "3 to 30 characters"),
        ("naïve", "3 to 30 characters"),
        ("kim\n", ""),
        ("HANA", "taken"),
        ("Admin", "reserved"),
        ("", "required"),
    ],
)
def test_a_bad_handle_is_refused_and_says_why(client: Client, hana: User, handle: str, said: str) -> None:
    answer = client.post("/accounts/signup/", NEW | {"username": handle})
    if handle.strip() == "kim":  # white space around is forgiven
        assert User.objects.filter(handle="kim").exists()
    else:
        assert answer.status_code == 200
        assert said in errors(answer)
        assert User.objects.count() == 1


def test_every_reserved_word_is_one_that_could_be_chosen_otherwise() -> None:
    assert all(word == word.lower() for word in RESERVED_HANDLES)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"password1": "short", "password2": "short"}, "too short"),
        ({"password2": "something else entirely"}, "same password"),
        ({"email": "nonsense"}, "valid email"),
        ({"display_name": "a\u202eb"}, "invisible or control character (U+202E)"),
    ],
)
def test_a_bad_sign_up_is_refused_and_says_why(
    client: Client, db: None, fields: dict[str, str], said: str, settings: Any
) -> None:
    settings.EMAIL_HOST = "smtp.example.org"
    assert said in errors(client.post("/accounts/signup/", NEW | fields))
    assert not User.objects.exists()


@pytest.mark.parametrize("typed", ["hana", "HANA", " Hana "])
def test_log_in_with_any_case(client: Client, hana: User, typed: str) -> None:
    answer = client.post("/accounts/login/", {"login": typed, "password": PASSWORD})
    assert answer.status_code == 302
    assert client.session["_auth_user_id"] == str(hana.pk)


@pytest.mark.parametrize(("login", "password"), [("hana", "wrong"), ("unknown", PASSWORD), ("", "")])
def test_a_wrong_log_in_does_not_reveal_which_part(client: Client, hana: User, login: str, password: str) -> None:
    answer = client.post("/accounts/login/", {"login": login, "password": password})
    assert answer.status_code == 200
    assert "_auth_user_id" not in client.session
    if login:
        assert "Wrong handle or password." in errors(answer)


def test_guessing_is_stopped(client: Client, hana: User) -> None:
    for _ in range(20):
        client.post("/accounts/login/", {"login": "hana", "password": "wrong"})
    client.post("/accounts/login/", {"login": "hana", "password": PASSWORD})
    assert "_auth_user_id" not in client.session


def test_a_suspended_member_may_log_in(client: Client, hana: User, tomorrow: Any) -> None:
    hana.suspend(tomorrow)
    client.post("/accounts/login/", {"login": "hana", "password": PASSWORD})
    assert "Your account is suspended until" in client.get("/").content.decode()


def test_a_closed_account_may_not_log_in(client: Client, hana: User) -> None:
    give(hana, is_active=False)
    answer = client.post("/accounts/login/", {"login": "hana", "password": PASSWORD}, follow=True)
    assert "_auth_user_id" not in client.session
    assert "closed" in answer.content.decode() or errors(answer)


def test_log_out_needs_post(client: Client, hana: User) -> None:
    client.force_login(hana)
    client.get("/accounts/logout/")
    assert "_auth_user_id" in client.session
    client.post("/accounts/logout/")
    assert "_auth_user_id" not in client.session


def test_change_of_password(client: Client, hana: User) -> None:
    client.force_login(hana)
    new = {"password1": "another long secret", "password2": "another long secret"}
    assert "current password" in errors(client.post("/accounts/password/change/", {"oldpassword": "wrong"} | new))
    client.post("/accounts/password/change/", {"oldpassword": PASSWORD} | new)
    hana.refresh_from_db()
    assert hana.check_password("another long secret")
    assert "_auth_user_id" in client.session


@pytest.mark.parametrize("host", ["", "smtp.example.org"])
def test_no_mail_is_promised_if_none_can_be_sent(client: Client, db: None, settings: Any, host: str) -> None:
    settings.EMAIL_HOST = host
    page = client.get("/accounts/password/reset/").content.decode()
    assert ("This site does not send email" in page) is not bool(host)
    assert ('name="email"' in page) is bool(host)


def test_without_a_mail_server_no_reset_can_be_asked_for(client: Client, hana: User) -> None:
    User.objects.filter(pk=hana.pk).update(email="hana@example.org")
    assert client.post("/accounts/password/reset/", {"email": "hana@example.org"}).status_code == 404
    assert mail.outbox == []


def test_a_made_up_reset_link_is_refused(client: Client, hana: User) -> None:
    page = client.get("/accounts/password/reset/key/1-abc/", follow=True).content.decode()
    assert "invalid" in page


STOCK = r"(?i)sign(ed)? (out|in)\b|contact us|should really|have sent"  # allauth's own words that do not fit ours


@pytest.mark.parametrize("path", ["login", "password/reset", "password/reset/done", "confirm-email"])
def test_strangers_read_our_words(client: Client, db: None, path: str) -> None:
    assert re.search(STOCK, client.get(f"/accounts/{path}/").content.decode()) is None


@pytest.mark.parametrize("path", ["logout", "email", "password/reset"])
def test_members_read_our_words(client: Client, hana: User, path: str) -> None:
    client.post("/accounts/login/", {"login": "hana", "password": PASSWORD})
    assert "Welcome, Hana Mori." in client.get("/me/profile/").content.decode()
    assert re.search(STOCK, client.get(f"/accounts/{path}/", follow=True).content.decode()) is None
    assert "You have logged out." in client.post("/accounts/logout/", follow=True).content.decode()


TITLE_CASE = {"Change Password", "Email Addresses", "Two-Factor Authentication", "Confirm Access", "New Password"}


@pytest.mark.parametrize("path", ["password/change", "email", "2fa", "reauthenticate", "password/reset"])
def test_pages_of_allauth_look_like_ours(client: Client, hana: User, path: str, settings: Any) -> None:
    settings.EMAIL_HOST = "smtp.example.org"
    client.force_login(hana)
    page = client.get(f"/accounts/{path}/", follow=True).content.decode()
    assert [words for words in TITLE_CASE if words in page] == []
    assert re.findall(r'placeholder="([^"]*)"', page.partition("<main")[2]) == []
    if "<form" in (main := page.partition("<main")[2].partition("</main>")[0]):
        assert "button-wide" in main


@pytest.mark.parametrize("path", ["login", "signup"])
def test_a_handle_is_typed_as_it_is(client: Client, db: None, path: str) -> None:
    page = client.get(f"/accounts/{path}/").content.decode()
    field = re.search(r'<input[^>]*name="(login|username)"[^>]*>', page)
    assert field is not None
    assert 'autocapitalize="none"' in field[0]
    assert 'spellcheck="false"' in field[0]
    assert "placeholder" not in field[0]


@pytest.mark.parametrize("path", ["login", "signup", "password/reset", "password/reset/done", "inactive"])
def test_the_pages_of_the_entrance_are_in_our_frame(client: Client, db: None, path: str) -> None:
    page = client.get(f"/accounts/{path}/").content.decode()
    assert '<main id="main"' in page
    assert "Menu:" not in page


@pytest.mark.parametrize("path", ["logout", "password/change", "email", "2fa", "reauthenticate"])
def test_the_pages_of_the_account_are_in_our_frame(client: Client, hana: User, path: str) -> None:
    client.force_login(hana)
    page = client.get(f"/accounts/{path}/", follow=True).content.decode()
    assert '<main id="main"' in page
    assert "Menu:" not in page


@pytest.mark.parametrize("typed", ["@hana", " @Hana "])
def test_a_handle_with_its_sign_logs_in(client: Client, hana: User, typed: str) -> None:
    assert client.post("/accounts/login/", {"login": typed, "password": PASSWORD}).status_code == 302
    assert client.get("/me/profile/").status_code == 200


@pytest.mark.parametrize("password", ["marmalade_radio", "Marmalade_Radio", "marmalade_radio1"])
def test_a_password_like_the_handle_is_refused(client: Client, db: None, password: str) -> None:
    form = {"username": "marmalade_radio", "password1": password, "password2": password}
    assert "too similar" in client.post("/accounts/signup/", form).content.decode()
    assert not User.objects.filter(handle="marmalade_radio").exists()


def test_a_password_like_the_name_is_refused_at_a_change(client: Client, hana: User) -> None:
    client.post("/accounts/login/", {"login": "hana", "password": PASSWORD})
    form = {"oldpassword": PASSWORD, "password1": "hana mori 1", "password2": "hana mori 1"}
    assert "too similar" in client.post("/accounts/password/change/", form).content.decode()


def test_a_new_installation_has_no_account(db: None) -> None:
    assert not User.objects.exists()
