"""My own pages: profile, followers and requests, following, blocked, the token of the API."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from accounts import views
from accounts.models import User
from accounts.people import Relation

LogIn = Callable[[User], Client]
HX = {"HX-Request": "true"}


def test_the_profile_is_saved(log_in: LogIn, hana: User) -> None:
    fields = {"display_name": "Hana M.", "bio": "Radio.", "approves_followers": "on"}
    page = log_in(hana).post("/me/profile/", fields, follow=True).content.decode()
    assert "Your profile is saved." in page
    hana.refresh_from_db()
    assert (hana.display_name, hana.bio, hana.approves_followers) == ("Hana M.", "Radio.", True)


def test_the_form_cannot_grant_anything(log_in: LogIn, dee: User) -> None:
    more = {"may_host": "on", "is_staff": "on", "handle": "admin", "follower_count": "600", "suspended_until": ""}
    log_in(dee).post("/me/profile/", {"display_name": "Dee"} | more)
    dee.refresh_from_db()
    assert (dee.handle, dee.may_host, dee.is_staff, dee.follower_count) == ("dee", False, False, 0)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"display_name": "x" * 51}, "at most 50"),
        ({"display_name": "a\u202eb"}, "control"),
        ({"bio": "x" * 301}, "at most 300"),
    ],
)
def test_a_bad_profile_is_refused_and_says_why(log_in: LogIn, hana: User, fields: dict[str, str], said: str) -> None:
    page = log_in(hana).post("/me/profile/", {"display_name": "H", "bio": ""} | fields).content.decode()
    assert said in page
    hana.refresh_from_db()
    assert hana.display_name == "Hana Mori"


def test_a_suspended_member_sees_until_when_and_changes_nothing(log_in: LogIn, hana: User, tomorrow: datetime) -> None:
    hana.suspend(tomorrow)
    browser = log_in(hana)
    assert "Your account is suspended until" in browser.get("/me/profile/").content.decode()
    page = browser.post("/me/profile/", {"display_name": "Other"}, follow=True).content.decode()
    assert "You can do this again when the suspension has ended" in page
    hana.refresh_from_db()
    assert hana.display_name == "Hana Mori"


# Followers


@pytest.fixture
def asked(hana: User, lior: User) -> User:
    """lior, who has asked hana."""
    hana.approves_followers = True
    hana.save(update_fields=["approves_followers"])
    lior.follow(hana)
    return lior


def test_requests_stand_on_the_page_of_followers(log_in: LogIn, hana: User, asked: User) -> None:
    page = log_in(hana).get("/me/followers/").content.decode()
    assert "Requests to follow you" in page
    assert "/people/lior/approve/" in page
    assert "/people/lior/decline/" in page


def test_approve(log_in: LogIn, hana: User, asked: User) -> None:
    answer = log_in(hana).post("/people/lior/approve/", follow=True)
    assert "Lior Katz now follows you." in answer.content.decode()
    assert asked.relation_to(hana) == Relation.FOLLOWING


def test_a_decision_answers_with_the_whole_list_and_its_numbers(log_in: LogIn, hana: User, asked: User) -> None:
    page = log_in(hana).post("/people/lior/approve/", headers=HX | {"HX-Boosted": "true"}, follow=True).content.decode()
    assert "Requests to follow you" not in page
    assert 'Your followers <span class="count">1</span>' in page
    assert "/people/lior/remove/" in page


def test_a_request_taken_back_in_this_moment_is_said(
    log_in: LogIn, hana: User, asked: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    approve = User.approve

    def too_late(me: User, follower: User) -> None:
        follower.unfollow(me)
        approve(me, follower)

    monkeypatch.setattr(User, "approve", too_late)
    answer = log_in(hana).post("/people/lior/approve/", follow=True)
    assert answer.status_code == 200
    assert "withdrawn the request" in answer.content.decode()


def test_decline(log_in: LogIn, hana: User, asked: User) -> None:
    log_in(hana).post("/people/lior/decline/")
    assert asked.relation_to(hana) == Relation.NONE


@pytest.mark.parametrize("verb", ["approve", "decline", "remove"])
def test_a_stranger_decides_nothing(log_in: LogIn, hana: User, asked: User, dee: User, verb: str) -> None:
    assert log_in(dee).post(f"/people/lior/{verb}/").status_code == 404
    assert log_in(asked).post(f"/people/hana/{verb}/").status_code == 404
    assert asked.relation_to(hana) == Relation.REQUESTED


def test_a_request_taken_back_is_404(log_in: LogIn, hana: User, asked: User) -> None:
    asked.unfollow(hana)
    assert log_in(hana).post("/people/lior/approve/").status_code == 404


def test_remove_a_follower(log_in: LogIn, hana: User, lior: User) -> None:
    lior.follow(hana)
    browser = log_in(hana)
    assert "/people/lior/remove/" in browser.get("/me/followers/").content.decode()
    browser.post("/people/lior/remove/")
    hana.refresh_from_db()
    assert (hana.follower_count, lior.relation_to(hana)) == (0, Relation.NONE)


def test_followers_are_found_and_paged(log_in: LogIn, hana: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "PAGE_ROWS", 2)
    for name in ("Kim Alba", "Ken Ito", "Ann Kimura"):
        User.objects.create_user(name.split()[0].lower(), display_name=name).follow(hana)
    browser = log_in(hana)
    first, second = (browser.get("/me/followers/", {"page": number}).content.decode() for number in (1, 2))
    assert "Ann Kimura" in first
    assert "Kim Alba" not in first
    assert "Kim Alba" in second
    found = browser.get("/me/followers/", {"q": "kim"}).content.decode()
    assert "Kim Alba" in found
    assert "Ann Kimura" in found
    assert "Ken Ito" not in found
    assert "No one on this list matches" in browser.get("/me/followers/", {"q": "zed"}).content.decode()


@pytest.mark.parametrize("page", ["0", "-1", "99999999999999999999", "x"])
def test_an_odd_page_number_is_some_page(log_in: LogIn, hana: User, page: str) -> None:
    assert log_in(hana).get("/me/followers/", {"page": page}).status_code == 200


def test_empty_lists_say_what_to_do(log_in: LogIn, dee: User) -> None:
    browser = log_in(dee)
    said = {
        "followers": "You have no followers yet",
        "following": "You do not follow anyone yet",
        "blocked": "You have not blocked anyone",
    }
    for path, words in said.items():
        assert words in browser.get(f"/me/{path}/").content.decode()


def test_following_and_blocked_list_their_people(log_in: LogIn, hana: User, sol: User, dee: User) -> None:
    hana.follow(sol)
    hana.block(dee)
    browser = log_in(hana)
    assert "/people/sol/unfollow/" in browser.get("/me/following/").content.decode()
    assert "/people/dee/unblock/" in browser.get("/me/blocked/").content.decode()


# Language


def test_the_language_is_switched(log_in: LogIn, hana: User) -> None:
    browser = log_in(hana)
    answer = browser.post("/language/", {"language": "de", "next": "/me/profile/"})
    assert answer["Location"] == "/me/profile/"
    assert '<html lang="de"' in browser.get("/me/profile/").content.decode()


def test_the_pages_obey_the_policy_of_scripts(log_in: LogIn, hana: User) -> None:
    hana.approves_followers = True
    browser = log_in(hana)
    for path in ("/people/hana/", "/me/profile/", "/me/followers/", "/me/tokens/", "/accounts/password/change/"):
        answer: Any = browser.get(path)
        page = answer.content.decode()
        assert " style=" not in page
        assert " onclick=" not in page
        assert "unsafe" not in answer["Content-Security-Policy"]
