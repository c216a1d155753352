"""Every door that writes has a budget: pages, API and commands of the socket. And the doors keep to theirs."""

from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from redis.exceptions import ConnectionError as NoRedis

from accounts import budgets
from accounts.budgets import Budget, Limit
from accounts.models import Scope, User
from rooms import protocol
from rooms.live.commands import BUDGETS
from rooms.models import Space
from tests.conftest import PASSWORD

WRITING = ("POST", "PUT", "PATCH", "DELETE")
VALUES = {
    "handle": "hana",
    "space": "0" * 8 + "-0000" * 3 + "-" + "0" * 12,
    "uidb36": "1",
    "key": "k",
    "name": "n",
    "token": 1,
    "session": 1,
    "export": "0" * 8 + "-0000" * 3 + "-" + "0" * 12,
}
LogIn = Callable[[User], Client]


@pytest.fixture(autouse=True)
def _nothing_counted() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch) -> Callable[[Budget, int], None]:
    """`only(budgets.FOLLOW, 2)`: two within an hour at the doors of this budget."""

    def put(budget: Budget, most: int) -> None:
        small = Budget(budget.name, budget.who, (Limit(most, 3600),), budget.refusal, budget.doors)
        for door in budget.doors:
            monkeypatch.setitem(budgets.BY_DOOR, door, small)

    return put


def patterns(among: list[Any], prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Each address with the name that a match of it has."""
    for one in among:
        if isinstance(one, URLResolver):
            yield from patterns(one.url_patterns, f"{prefix}{one.namespace}:" if one.namespace else prefix)
        else:
            yield f"{prefix}{one.name}", one


def methods(pattern: URLPattern, client: Client) -> list[str]:
    """The writing methods that an address takes."""
    view = getattr(pattern.callback, "view_class", None) or getattr(pattern.callback, "cls", None)
    if view is not None:
        return [method for method in WRITING if hasattr(view, method.lower())]
    with patch.object(budgets, "spend"):
        return [m for m in WRITING if client.generic(m, _path(pattern)).status_code != 405]


def _path(pattern: URLPattern) -> str:
    """An address of it. Only names with a prefix of their own would need more."""
    for name, one in patterns(get_resolver().url_patterns):
        if one is pattern:
            keys = get_resolver().reverse_dict.getlist(name)[0][0][0][1]
            return "/" + get_resolver().reverse(name, **{key: VALUES[key] for key in keys})
    raise LookupError(pattern)


def test_every_address_that_writes_has_a_budget(hana: User, dee: User, log_in: LogIn) -> None:
    browser = log_in(dee)
    doors = {
        f"{method if name.startswith('api_') else 'POST'} {name}"  # pages count all of them as POST
        for name, pattern in patterns(get_resolver().url_patterns)
        if not name.startswith("admin:")
        for method in methods(pattern, browser)
    }
    assert {"POST follow", "POST space_new", "POST account_signup", "DELETE api_follow"} <= doors
    assert doors - set(budgets.BY_DOOR) - set(budgets.EXEMPT) == set()


def test_no_row_names_an_address_that_is_not_there() -> None:
    names = {name for name, _ in patterns(get_resolver().url_patterns)}
    named = {door.split(" ", 1)[1] for door in [*budgets.BY_DOOR, *budgets.EXEMPT] if " " in door}
    assert named - names == set()


def test_every_command_has_a_budget_or_a_reason() -> None:
    assert set(BUDGETS) == set(protocol.COMMANDS)
    assert all(isinstance(one, Budget) or len(one) > 10 for one in BUDGETS.values())
    assert {one for one in BUDGETS.values() if isinstance(one, Budget)} <= set(budgets.TABLE)


def test_a_page_answers_429_and_says_how_long(only: Any, hana: User, dee: User, log_in: LogIn) -> None:
    only(budgets.FOLLOW, 1)
    browser = log_in(dee)
    assert browser.post("/people/hana/follow/").status_code == 302
    browser.post("/people/hana/unfollow/")
    answer = browser.post("/people/hana/follow/")
    assert (answer.status_code, answer["Retry-After"]) == (429, "3600")
    assert "You have followed many people" in answer.content.decode()
    assert not hana.is_followed_by(dee)


def test_a_part_of_a_page_gets_the_sentence_alone(only: Any, hana: User, dee: User, log_in: LogIn) -> None:
    only(budgets.BLOCK, 0)
    answer = log_in(dee).post("/people/hana/block/", headers={"HX-Request": "true"})
    assert answer.status_code == 429
    assert answer.content.decode().startswith("You have blocked many people")


def test_pages_and_api_share_one_budget(only: Any, hana: User, sol: User, dee: User, log_in: LogIn) -> None:
    only(budgets.FOLLOW, 1)
    log_in(dee).post("/people/hana/follow/")
    headers = {"Authorization": f"Bearer {dee.make_token('t', [Scope.WRITE], 1)}"}
    answer = Client().post("/api/people/sol/follow/", headers=headers)
    assert (answer.status_code, answer["Retry-After"], answer.json()["code"]) == (429, "3600", "too_often")
    assert not sol.is_followed_by(dee)


def test_a_declined_follower_may_ask_once_more(hana: User, dee: User, log_in: LogIn) -> None:
    User.objects.filter(pk=hana.pk).update(approves_followers=True)
    browser = log_in(dee)
    asked = []
    for _ in range(4):
        asked.append("several times" not in browser.post("/people/hana/follow/", follow=True).content.decode())
        hana.decline(dee)
    assert asked == [True, True, False, False]


def test_asking_once_and_repeating_it_counts_once(hana: User, dee: User, log_in: LogIn) -> None:
    User.objects.filter(pk=hana.pk).update(approves_followers=True)
    browser = log_in(dee)
    answers = [browser.post("/people/hana/follow/", follow=True).content.decode() for _ in range(4)]
    assert not any("several times" in answer for answer in answers)


def test_another_method_is_no_way_around(only: Any, client: Client, db: None) -> None:
    only(budgets.LOG_IN, 1)
    assert client.post("/accounts/login/").status_code == 200
    assert client.put("/accounts/login/").status_code == 429


def test_sign_up_is_counted_for_the_address(client: Client, db: None) -> None:
    def sign_up(number: int, address: str) -> int:
        form = {"username": f"bot_{number}", "password1": PASSWORD, "password2": PASSWORD}
        return Client().post("/accounts/signup/", form, REMOTE_ADDR=address).status_code

    assert [sign_up(number, "203.0.113.9") for number in range(7)] == [302] * 5 + [429] * 2
    assert [sign_up(number, f"2001:db8::{number}") for number in range(10, 17)] == [302] * 5 + [429] * 2
    assert User.objects.count() == 10


def test_without_redis_nothing_is_done_uncounted(hana: User, dee: User, log_in: LogIn) -> None:
    browser = log_in(dee)
    with patch.object(budgets, "_script", side_effect=NoRedis):
        answer = browser.post("/people/hana/follow/")
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert not hana.is_followed_by(dee)


def test_a_sixth_space_within_minutes_is_refused_in_the_form(hana: User, log_in: LogIn) -> None:
    browser = log_in(hana)
    form = {"title": "Tea", "audience": "followers"}
    assert browser.post("/spaces/new/", form | {"title": ""}).status_code == 400  # a mistake does not count
    for _ in range(5):
        assert browser.post("/spaces/new/", form).status_code == 302
        Space.objects.live().get().end()
    answer = browser.post("/spaces/new/", form)
    assert "You have opened several Spaces" in answer.content.decode()
    assert Space.objects.count() == 5


def test_wrong_passwords_lock_the_handle_at_their_own_address_only(hana: User) -> None:
    def log_in(password: str, address: str) -> bool:
        browser = Client()
        browser.post("/accounts/login/", {"login": "hana", "password": password}, REMOTE_ADDR=address)
        return "_auth_user_id" in browser.session

    for _ in range(6):
        assert not log_in("wrong", "203.0.113.9")
    assert not log_in(PASSWORD, "203.0.113.9")
    assert log_in(PASSWORD, "198.51.100.1")
