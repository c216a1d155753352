"""The list of a member's sessions: devices in words, last used, and how each and all end."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from accounts.models import MemberSession, Scope, User
from accounts.sessions import seen
from accounts.sessions.devices import Device, device_of
from tests.conftest import PASSWORD

LogIn = Callable[[User], Client]
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
)
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.0 Mobile/15E148 Safari/604.1"
)


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (FIREFOX, "Firefox on Linux"),
        (CHROME, "Chrome on Windows"),
        (f"{CHROME} Edg/142.0.0.0", "Edge on Windows"),
        (IPHONE, "Safari on iPhone"),
        ("curl/8.5.0", "Unknown device"),
        ("", "Unknown device"),
        ("<b>Firefox/1</b>", "Firefox"),
    ],
)
def test_devices_in_words(user_agent: str, words: str) -> None:
    assert str(device_of(user_agent)) == words


def by_password(user: User, user_agent: str) -> Client:
    browser = Client(headers={"User-Agent": user_agent})
    browser.post("/accounts/login/", {"login": user.handle, "password": PASSWORD})
    assert browser.session["_auth_user_id"] == str(user.pk)
    return browser


def is_in(browser: Client) -> bool:
    return browser.get("/me/profile/").status_code == 200


def test_a_log_in_is_listed_with_its_device(log_in: LogIn, sol: User) -> None:
    by_password(sol, IPHONE)
    page = by_password(sol, FIREFOX).get("/me/sessions/").content.decode()
    assert "Safari on iPhone" in page
    assert page.index("Firefox on Linux") < page.index("Safari on iPhone")
    assert page.count("This device.") == 1


def test_the_last_use_is_noted_once_in_ten_minutes(sol: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seen, "_noted", seen.OrderedDict())
    browser = by_password(sol, FIREFOX)
    hour_ago = timezone.now() - timedelta(hours=1)
    MemberSession.objects.update(seen_at=hour_ago, began_at=hour_ago)
    assert is_in(browser)
    assert MemberSession.objects.get().seen_at == hour_ago
    monkeypatch.setattr(seen, "SECONDS", 0)
    assert is_in(browser)
    assert MemberSession.objects.get().seen_at > hour_ago
    assert MemberSession.objects.get().began_at == hour_ago


def test_only_so_many_sessions_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seen, "_noted", seen.OrderedDict())
    monkeypatch.setattr(seen, "MOST_REMEMBERED", 2)
    assert [seen._is_due(key, 100) for key in ("a", "b", "a", "c", "a")] == [True, True, False, True, True]


def test_a_new_password_keeps_the_own_session_in_the_list(sol: User) -> None:
    browser = by_password(sol, FIREFOX)
    form = {"oldpassword": PASSWORD, "password1": "a longer way to coffee", "password2": "a longer way to coffee"}
    browser.post("/accounts/password/change/", form)
    assert MemberSession.objects.get().session_id == browser.session.session_key


def test_a_session_that_has_just_ended_is_not_noted(sol: User) -> None:
    MemberSession.objects.note(sol, "gone" * 8, Device("", ""))
    assert not MemberSession.objects.exists()


def test_the_row_goes_with_the_session(sol: User) -> None:
    browser, other = by_password(sol, FIREFOX), by_password(sol, IPHONE)
    browser.post("/accounts/logout/")
    assert MemberSession.objects.get().session_id == other.session.session_key
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    call_command("clearsessions")
    assert not MemberSession.objects.exists()


def test_one_session_is_logged_out_elsewhere(sol: User) -> None:
    here, there = by_password(sol, FIREFOX), by_password(sol, IPHONE)
    row = sol.sessions.get(system="iPhone")
    page = here.post(f"/me/sessions/{row.pk}/end/", follow=True).content.decode()
    assert "Safari on iPhone is logged out." in page
    assert (is_in(here), is_in(there)) == (True, False)


def test_the_own_session_is_logged_out_as_well(sol: User) -> None:
    here, there = by_password(sol, FIREFOX), by_password(sol, IPHONE)
    answer = here.post(f"/me/sessions/{sol.sessions.get(system='Linux').pk}/end/")
    assert answer.url == "/accounts/login/"  # type: ignore[attr-defined]
    assert (is_in(here), is_in(there)) == (False, True)


def test_log_out_everywhere_ends_all_sessions_and_tokens(sol: User, hana: User) -> None:
    here, there, hanas = by_password(sol, FIREFOX), by_password(sol, IPHONE), by_password(hana, FIREFOX)
    for user in (sol, hana):
        user.make_token("a program", [Scope.READ], 1)
    assert "also this one" in here.get("/me/sessions/end/").content.decode()
    page = here.post("/me/sessions/end/", follow=True).content.decode()
    assert "You are logged out everywhere." in page
    assert [is_in(browser) for browser in (here, there, hanas)] == [False, False, True]
    assert not sol.api_tokens.exists()
    assert hana.api_tokens.exists()


def test_no_one_ends_sessions_of_others(log_in: LogIn, client: Client, sol: User, dee: User) -> None:
    browser = by_password(sol, FIREFOX)
    path = f"/me/sessions/{sol.sessions.get().pk}/end/"
    assert log_in(dee).post(path).status_code == 404
    assert client.post(path).status_code == 302
    assert client.post("/me/sessions/end/").status_code == 302
    assert is_in(browser)


def test_get_ends_nothing(sol: User) -> None:
    browser = by_password(sol, FIREFOX)
    assert browser.get(f"/me/sessions/{sol.sessions.get().pk}/end/").status_code == 405
    assert browser.get("/me/sessions/end/").status_code == 200
    assert is_in(browser)


def test_a_lock_ends_sessions_for_good(sol: User) -> None:
    browser = by_password(sol, FIREFOX)
    sol.deactivate()
    sol.activate()
    assert not is_in(browser)
    assert not sol.sessions.exists()
