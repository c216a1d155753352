"""The API has a budget for each member and one for each address, and says how long to wait."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from rest_framework.response import Response

from accounts.models import Scope, User
from accounts.shared.throttles import network

SCHEMA = "/api/schema/"
Ask = Callable[..., Any]


@pytest.fixture(autouse=True)
def _counts() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def rates(settings: Any) -> Callable[[int, int], None]:
    """`rates(3, 5)`: three requests a minute of a member, five of an address."""

    def put(member: int, address: int) -> None:
        both = {"member": f"{member}/min", "address": f"{address}/min"}
        settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"DEFAULT_THROTTLE_RATES": both}

    return put


@pytest.fixture
def ask(client: Client) -> Ask:
    """`ask(lior, "10.0.0.1", times=3)`: the answers to so many requests; person None has no token."""

    keys: dict[str, str] = {}

    def asked(person: User | None, address: str, times: int = 1, **headers: str) -> list[Response]:
        if person is not None:
            key = keys.get(person.handle) or keys.setdefault(person.handle, person.make_token("t", [Scope.READ], 1))
            headers["Authorization"] = f"Bearer {key}"
        path = f"/api/people/{person.handle}/" if person else "/api/people/hana/"
        return [client.get(path, REMOTE_ADDR=address, headers=headers) for _ in range(times)]  # type: ignore[misc]

    return asked


def codes(answers: list[Response]) -> list[int]:
    return [answer.status_code for answer in answers]


def test_a_member_has_a_budget_at_every_address(rates: Any, ask: Ask, lior: User, hana: User) -> None:
    rates(3, 100)
    assert codes(ask(lior, "10.0.0.1", times=2)) == [200, 200]
    assert codes(ask(lior, "10.0.0.2", times=2)) == [200, 429]
    assert codes(ask(hana, "10.0.0.1")) == [200]


def test_an_address_has_a_budget_for_all_its_members(rates: Any, ask: Ask, lior: User, hana: User) -> None:
    rates(100, 3)
    assert codes(ask(lior, "10.0.0.1", times=2)) == [200, 200]
    assert codes(ask(hana, "10.0.0.1", times=2)) == [200, 429]
    assert codes(ask(hana, "10.0.0.2")) == [200]


def test_strangers_count_against_their_address(rates: Any, ask: Ask, hana: User) -> None:
    rates(100, 2)
    assert codes(ask(None, "10.0.0.1")) == [401]
    assert codes(ask(None, "10.0.0.1", Authorization="Bearer nonsense")) == [401]
    assert codes(ask(None, "10.0.0.1", times=2)) == [429, 429]
    assert codes(ask(hana, "10.0.0.1")) == [429]
    assert codes(ask(None, "10.0.0.2")) == [401]


def test_what_is_refused_before_the_person_is_known_counts_too(rates: Any, lior: User) -> None:
    rates(100, 3)
    forger = Client(enforce_csrf_checks=True)
    forger.force_login(lior)
    refused = [forger.post("/api/people/hana/follow/") for _ in range(2)]
    assert [answer.json()["code"] for answer in refused] == ["permission_denied", "permission_denied"]
    unread = [forger.get("/api/people/hana/", headers={"Accept": "text/csv"}) for _ in range(2)]
    assert [answer.json()["code"] for answer in unread] == ["not_acceptable", "throttled"]


def test_a_wrong_key_and_a_wrong_format_at_once_are_counted_once(rates: Any, ask: Ask, hana: User) -> None:
    rates(100, 2)
    wrong = {"Accept": "text/csv", "Authorization": "Bearer nonsense"}
    assert codes(ask(None, "10.0.0.1", times=3, **wrong)) == [401, 401, 429]


def test_without_the_counts_nothing_is_answered(settings: Any, ask: Ask, hana: User) -> None:
    """Without Redis there would be no budget."""
    nowhere = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "unix:///nowhere.sock"}
    before, settings.CACHES = settings.CACHES, {"default": nowhere}
    try:
        answers = [*ask(hana, "10.0.0.1"), *ask(None, "10.0.0.1")]
    finally:
        settings.CACHES = before  # before the counts are cleared
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(503, "unavailable")] * 2


def test_the_schema_is_in_the_budget(rates: Any, client: Client, db: None) -> None:
    rates(100, 1)
    assert [client.get(SCHEMA).status_code for _ in range(2)] == [401, 429]


def test_the_refusal_says_how_long_to_wait(rates: Any, ask: Ask, lior: User) -> None:
    rates(1, 100)
    _, refused = ask(lior, "10.0.0.1", times=2)
    seconds = int(refused["Retry-After"])
    assert 55 <= seconds <= 60
    words = f"Too many requests. Try again in {seconds} seconds."
    assert refused.json() == {"code": "throttled", "detail": words}


def test_the_refusal_speaks_german(rates: Any, ask: Ask, lior: User) -> None:
    rates(1, 100)
    refused = ask(lior, "10.0.0.1", times=2, **{"Accept-Language": "de"})[1]
    assert refused.json()["detail"].startswith("Zu viele Anfragen. Versuche es in ")


def test_a_forwarded_address_is_not_believed_here(rates: Any, ask: Ask, lior: User) -> None:
    rates(100, 1)
    first, second = (ask(lior, "10.0.0.1", **{"X-Forwarded-For": address})[0] for address in ("1.2.3.4", "5.6.7.8"))
    assert codes([first, second]) == [200, 429]


def test_the_rates_are_those_of_the_settings(settings: Any) -> None:
    rates = settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"]
    assert rates == {
        "member": f"{settings.API_MEMBER_PER_MINUTE}/min",
        "address": f"{settings.API_ADDRESS_PER_MINUTE}/min",
    }
    assert (settings.API_MEMBER_PER_MINUTE, settings.API_ADDRESS_PER_MINUTE) == (120, 600)


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("", ""),
    ],
)
def test_what_is_one_address(address: str, counted: str) -> None:
    assert network(address) == counted
