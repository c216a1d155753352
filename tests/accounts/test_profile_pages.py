"""The page of a person, and the buttons on it."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User
from accounts.people import Relation
from tests.rig.rights import give

LogIn = Callable[[User], Client]
HX = {"HX-Request": "true"}


def test_a_profile_shows_name_counts_and_the_button(log_in: LogIn, hana: User, lior: User, sol: User) -> None:
    sol.follow(hana)
    hana.follow(sol)
    page = log_in(lior).get("/people/Hana/").content.decode()
    assert "Hana Mori" in page
    assert "<b>1</b> follower" in page
    assert "<b>1</b> following" in page
    assert 'action="/people/hana/follow/"' in page
    assert "follows you" not in page


def test_a_profile_says_who_follows_me(log_in: LogIn, hana: User, lior: User) -> None:
    lior.follow(hana)
    assert "follows you" in log_in(hana).get("/people/lior/").content.decode()


def test_ones_own_profile_offers_no_follow_and_no_block(log_in: LogIn, hana: User) -> None:
    page = log_in(hana).get("/people/hana/").content.decode()
    assert "/people/hana/follow/" not in page
    assert "/people/hana/block/" not in page
    assert "/me/profile/" in page


@pytest.mark.parametrize("path", ["/people/hana/", "/me/profile/", "/me/followers/", "/me/following/", "/me/blocked/"])
def test_pages_need_a_log_in(client: Client, hana: User, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/?next=")


@pytest.mark.parametrize("verb", ["follow", "unfollow", "block", "unblock", "approve", "decline", "remove"])
def test_verbs_need_a_log_in_and_post(client: Client, log_in: LogIn, hana: User, lior: User, verb: str) -> None:
    assert client.post(f"/people/hana/{verb}/")["Location"].startswith("/accounts/login/")
    assert log_in(lior).get(f"/people/hana/{verb}/").status_code == 405
    assert lior.relation_to(hana) == Relation.NONE


def test_blocked_people_see_the_same_as_for_an_unknown_handle(log_in: LogIn, hana: User, dee: User) -> None:
    hana.block(dee)
    browser = log_in(dee)
    refused, unknown = browser.get("/people/hana/"), browser.get("/people/unknown/")
    assert refused.status_code == unknown.status_code == 404
    assert "not available" in refused.content.decode()
    assert "Hana Mori" not in refused.content.decode()


@pytest.mark.parametrize("verb", ["follow", "unfollow", "block"])
def test_blocked_people_reach_no_verb(log_in: LogIn, hana: User, dee: User, verb: str) -> None:
    hana.block(dee)
    assert log_in(dee).post(f"/people/hana/{verb}/").status_code == 404
    assert dee.relation_to(hana) == Relation.NONE


@pytest.mark.parametrize("handle", ["%00", "a%00b", "%2e%2e", "a b", "%27", "x" * 500])
def test_an_odd_handle_is_404(log_in: LogIn, dee: User, handle: str) -> None:
    browser = log_in(dee)
    assert browser.get(f"/people/{handle}/").status_code == 404
    assert browser.post(f"/people/{handle}/follow/").status_code == 404
    assert browser.get(f"/api/people/{handle}/").status_code == 404


def test_a_closed_account_is_not_available(log_in: LogIn, hana: User, dee: User) -> None:
    give(hana, is_active=False)
    assert log_in(dee).get("/people/hana/").status_code == 404


def test_follow_by_a_plain_form_returns_to_the_page(log_in: LogIn, hana: User, lior: User) -> None:
    answer = log_in(lior).post("/people/hana/follow/", {"next": "/me/following/"})
    assert answer["Location"] == "/me/following/"
    assert lior.relation_to(hana) == Relation.FOLLOWING


def test_the_way_back_never_leads_to_another_site(log_in: LogIn, hana: User, lior: User) -> None:
    answer = log_in(lior).post("/people/hana/follow/", {"next": "https://evil.example/"})
    assert answer["Location"] == "/people/hana/"


def test_follow_by_htmx_answers_with_the_buttons(log_in: LogIn, hana: User, lior: User) -> None:
    fragment = log_in(lior).post("/people/hana/follow/", headers=HX).content.decode()
    assert 'action="/people/hana/unfollow/"' in fragment
    assert "/people/hana/block/" in fragment
    assert "<html" not in fragment


def test_a_compact_fragment_is_the_one_button(log_in: LogIn, hana: User, lior: User) -> None:
    fragment = log_in(lior).post("/people/hana/follow/", {"compact": "1"}, headers=HX).content.decode()
    assert 'action="/people/hana/unfollow/"' in fragment
    assert "block" not in fragment


def test_a_boosted_form_gets_the_page_not_the_fragment(log_in: LogIn, hana: User, lior: User) -> None:
    answer = log_in(lior).post("/people/hana/follow/", headers=HX | {"HX-Boosted": "true"})
    assert answer.status_code == 302


def test_a_refused_follow_says_why(log_in: LogIn, hana: User, dee: User) -> None:
    dee.block(hana)
    fragment = log_in(dee).post("/people/hana/follow/", headers=HX).content.decode()
    assert "You cannot follow this person." in fragment
    page = log_in(dee).post("/people/hana/follow/", follow=True).content.decode()
    assert "You cannot follow this person." in page


def test_asking_to_follow_shows_as_requested(log_in: LogIn, hana: User, lior: User) -> None:
    User.objects.filter(pk=hana.pk).update(approves_followers=True)
    browser = log_in(lior)
    assert "Ask to follow" in browser.get("/people/hana/").content.decode()
    assert "Withdraw request" in browser.post("/people/hana/follow/", headers=HX).content.decode()
    browser.post("/people/hana/unfollow/")
    assert lior.relation_to(hana) == Relation.NONE


def test_block_and_unblock(log_in: LogIn, hana: User, dee: User) -> None:
    browser = log_in(hana)
    page = browser.get("/people/dee/").content.decode()
    assert "Block Dee Wong? You stop following each other" in page
    assert "You have blocked Dee Wong." in browser.post("/people/dee/block/", follow=True).content.decode()
    assert hana.relation_to(dee) == Relation.BLOCKING
    assert "/people/dee/unblock/" in browser.get("/people/dee/").content.decode()
    browser.post("/people/dee/unblock/")
    assert hana.relation_to(dee) == Relation.NONE


def test_unblocking_a_person_one_has_not_blocked_is_404(log_in: LogIn, hana: User, dee: User) -> None:
    assert log_in(hana).post("/people/dee/unblock/").status_code == 404


def test_two_who_block_each_other_can_both_take_it_back(log_in: LogIn, hana: User, dee: User) -> None:
    hana.block(dee)
    dee.block(hana)
    log_in(dee).post("/people/hana/unblock/", headers=HX)
    assert dee.relation_to(hana) == Relation.NONE
    assert hana.relation_to(dee) == Relation.BLOCKING


def test_members_do_not_block_themselves(log_in: LogIn, hana: User) -> None:
    assert "You cannot block yourself." in log_in(hana).post("/people/hana/block/", headers=HX).content.decode()
