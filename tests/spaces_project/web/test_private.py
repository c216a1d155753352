"""Pages of members are kept in no cache, and a log-out clears what the browser has stored."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.test import Client

from accounts.models import Scope, User

LogIn = Callable[[User], Client]


@pytest.mark.parametrize(
    "path",
    ["/", "/me/profile/", "/me/tokens/", "/me/sessions/", "/people/hana/", "/accounts/email/", "/api/people/hana/"],
)
def test_pages_of_a_member_are_not_stored(log_in: LogIn, hana: User, path: str) -> None:
    assert "no-store" in log_in(hana).get(path)["Cache-Control"]


def test_answers_to_a_token_are_not_stored(client: Client, hana: User) -> None:
    headers = {"Authorization": f"Bearer {hana.make_token('a program', [Scope.READ], 1)}"}
    assert client.get("/api/people/hana/", headers=headers)["Cache-Control"] == "no-store, private"


def test_refusals_and_redirects_to_members_are_not_stored(log_in: LogIn, hana: User) -> None:
    browser = log_in(hana)
    for answer in (browser.get("/people/unknown/"), browser.post("/me/profile/", {"display_name": "Hana"})):
        assert answer["Cache-Control"] == "no-store, private"


def test_a_page_for_everybody_may_be_stored(client: Client, db: None) -> None:
    assert "no-store" not in client.get("/").get("Cache-Control", "")


def test_a_log_out_clears_the_browser_and_a_log_in_does_not(log_in: LogIn, hana: User, client: Client) -> None:
    browser = log_in(hana)
    assert "Clear-Site-Data" not in browser.get("/me/profile/")
    for path in ("/accounts/logout/", "/me/sessions/end/"):
        answer = log_in(hana).post(path)
        assert answer["Clear-Site-Data"] == '"cache", "storage"'
        assert "no-store" in answer["Cache-Control"]
    assert "Clear-Site-Data" not in client.post("/accounts/logout/")


def test_cookies_are_out_of_reach_of_scripts(client: Client, db: None) -> None:
    client.get("/accounts/login/")
    client.post("/language/", {"language": "de"})
    for name in ("csrftoken", "django_language"):
        assert (client.cookies[name]["httponly"], client.cookies[name]["samesite"]) == (True, "Lax")


def test_a_picture_asks_for_no_session(log_in: LogIn, hana: User, django_assert_num_queries: Any) -> None:
    hana.change_avatar(ContentFile(b"picture"))
    browser = log_in(hana)
    with django_assert_num_queries(0):
        assert browser.get(f"/uploads/{hana.avatar.name}").status_code == 200
    with django_assert_num_queries(0):
        assert browser.get("/jsi18n/").status_code == 200
