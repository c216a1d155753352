"""REST: a person, follow and unfollow; with a token or the session."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import Scope, User
from accounts.people import Relation
from tests.conftest import PASSWORD
from tests.rig.rights import give

LogIn = Callable[[User], Client]


@pytest.fixture
def as_lior(lior: User) -> dict[str, str]:
    """The header of lior's token."""
    return {"Authorization": f"Bearer {lior.make_token('a program', [Scope.READ, Scope.WRITE], 1)}"}


def test_a_person(client: Client, as_lior: dict[str, str], hana: User, lior: User) -> None:
    lior.follow(hana)
    answer = client.get("/api/people/HANA/", headers=as_lior)
    assert answer.json() == {
        "handle": "hana",
        "name": "Hana Mori",
        "bio": "",
        "avatar": None,
        "follower_count": 1,
        "approves_followers": False,
        "relation": "following",
    }


def test_follow_and_unfollow(client: Client, as_lior: dict[str, str], hana: User, lior: User) -> None:
    for _ in range(2):
        answer = client.post("/api/people/hana/follow/", headers=as_lior)
        assert (answer.status_code, answer.json()["relation"], answer.json()["follower_count"]) == (200, "following", 1)
    for _ in range(2):
        assert client.delete("/api/people/hana/follow/", headers=as_lior).status_code == 204
    assert lior.relation_to(hana) == Relation.NONE


def test_asking_to_follow(client: Client, as_lior: dict[str, str], hana: User) -> None:
    User.objects.update(approves_followers=True)
    assert client.post("/api/people/hana/follow/", headers=as_lior).json()["relation"] == "requested"


def test_the_session_serves_as_well(log_in: LogIn, hana: User, lior: User) -> None:
    assert log_in(lior).get("/api/people/hana/").status_code == 200
    assert log_in(lior).post("/api/people/hana/follow/").status_code == 200


def test_the_session_needs_the_csrf_token(hana: User, lior: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(lior)
    assert browser.post("/api/people/hana/follow/").status_code == 403
    assert lior.relation_to(hana) == Relation.NONE


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Bearer"}])
def test_no_one_gets_in_without_a_token(client: Client, hana: User, headers: dict[str, str]) -> None:
    answer = client.get("/api/people/hana/", headers=headers)
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    assert answer.json()["code"] in ("not_authenticated", "authentication_failed")
    assert answer.json()["detail"]
    assert client.post("/api/people/hana/follow/", headers=headers).status_code == 401
    assert client.delete("/api/people/hana/follow/", headers=headers).status_code == 401


def test_a_password_is_no_token(client: Client, hana: User, lior: User) -> None:
    assert client.get("/api/people/hana/", headers={"Authorization": f"Basic {PASSWORD}"}).status_code == 401


def test_refusals_say_why(
    client: Client, log_in: LogIn, as_lior: dict[str, str], hana: User, lior: User, tomorrow: object
) -> None:
    answer = client.post("/api/people/lior/follow/", headers=as_lior)
    said = {"code": "follow_yourself", "detail": "You cannot follow yourself."}
    assert (answer.status_code, answer.json()) == (403, said)
    lior.block(hana)
    answer = client.post("/api/people/hana/follow/", headers=as_lior)
    assert (answer.status_code, answer.json()["code"]) == (403, "person_unavailable")
    lior.unblock(hana)
    lior.suspend(tomorrow)  # type: ignore[arg-type]
    answer = log_in(lior).post("/api/people/hana/follow/")
    assert (answer.status_code, answer.json()["code"]) == (403, "suspended")
    assert "suspended" in answer.json()["detail"]


def test_refusals_speak_the_language_of_the_request(client: Client, as_lior: dict[str, str]) -> None:
    answer = client.post("/api/people/lior/follow/", headers=as_lior | {"Accept-Language": "de"})
    assert answer.json() == {"code": "follow_yourself", "detail": "Du kannst dir nicht selbst folgen."}


def test_a_person_who_blocked_me_looks_unknown(client: Client, as_lior: dict[str, str], hana: User, lior: User) -> None:
    hana.block(lior)
    for path in ("/api/people/hana/", "/api/people/unknown/"):
        answer = client.get(path, headers=as_lior)
        assert (answer.status_code, answer.json()) == (404, {"code": "not_found", "detail": "Not found."})
    assert client.post("/api/people/hana/follow/", headers=as_lior).status_code == 404
    assert client.delete("/api/people/hana/follow/", headers=as_lior).status_code == 404


def test_other_methods_are_refused(client: Client, as_lior: dict[str, str], hana: User) -> None:
    answer = client.get("/api/people/hana/follow/", headers=as_lior)
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert client.delete("/api/people/hana/", headers=as_lior).status_code == 405
    assert client.put("/api/people/hana/", headers=as_lior).status_code == 405


def test_a_closed_account_has_no_way_in(client: Client, as_lior: dict[str, str], hana: User, lior: User) -> None:
    give(lior, is_active=False)
    assert client.get("/api/people/hana/", headers=as_lior).status_code == 401
