"""API tokens: several per member, hashed, scoped, expiring; they end with the rights of their member."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from accounts.models import ApiToken, Scope, User
from accounts.models.tokens import MOST_TOKENS, PREFIX
from accounts.refusals import Refused
from tests.rig.racing import at_once
from tests.rig.rights import give

HANA = "/api/people/hana/"
FOLLOW = "/api/people/hana/follow/"


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_the_database_holds_no_key(lior: User) -> None:
    key = lior.make_token("a program", [Scope.READ], 7)
    row = ApiToken.objects.values().get()
    assert key.startswith(PREFIX)
    assert len(key) == len(PREFIX) + 43  # 32 bytes in Base64
    assert key not in str(row)
    assert row["expires_at"] - row["created_at"] == timedelta(days=7)


def test_a_member_has_several_and_revokes_one_by_one(client: Client, lior: User, hana: User) -> None:
    first, second = (lior.make_token(name, [Scope.READ], 1) for name in ("first", "second"))
    lior.api_tokens.get(name="first").revoke()
    assert [client.get(HANA, headers=bearer(key)).status_code for key in (first, second)] == [401, 200]


def test_the_number_of_tokens_is_limited_and_expired_ones_go(lior: User) -> None:
    for number in range(MOST_TOKENS):
        lior.make_token(str(number), [Scope.READ], 1)
    with pytest.raises(Refused):
        lior.make_token("one more", [Scope.READ], 1)
    past = timezone.now() - timedelta(seconds=1)
    ApiToken.objects.filter(name="0").update(expires_at=past)
    lior.make_token("one more", [Scope.READ], 1)
    assert not lior.api_tokens.filter(name="0").exists()


@pytest.mark.django_db(transaction=True)
def test_eight_at_once_are_not_too_many(lior: User) -> None:
    for number in range(MOST_TOKENS - 2):
        lior.make_token(str(number), [Scope.READ], 1)

    def one_more() -> bool:
        try:
            return bool(User.objects.get(pk=lior.pk).make_token("more", [Scope.READ], 1))
        except Refused:
            return False

    assert at_once(*[one_more] * 8).count(True) == 2
    assert lior.api_tokens.count() == MOST_TOKENS


@pytest.mark.parametrize(
    ("scopes", "days"),
    [([], 1), ([Scope.READ], 0), ([Scope.READ], 366), ([Scope.MODERATE], 1), ([Scope.READ, Scope.MODERATE], 1)],
)
def test_no_token_without_scope_or_end_and_none_of_staff_for_members(lior: User, scopes: Any, days: int) -> None:
    with pytest.raises(ValueError, match="token"):
        lior.make_token("a program", scopes, days)
    assert not ApiToken.objects.exists()


def test_the_database_refuses_tokens_without_end_or_scope(lior: User) -> None:
    lior.make_token("a program", [Scope.READ], 365)
    changes: list[dict[str, Any]] = [{"expires_at": timezone.now() + timedelta(days=366)}, {"scopes": []}]
    for change in changes:
        with pytest.raises(IntegrityError), transaction.atomic():
            ApiToken.objects.update(**change)


# What they open


@pytest.mark.parametrize(
    ("scopes", "reads", "writes"),
    [
        ([Scope.READ], 200, 403),
        ([Scope.WRITE], 403, 200),
        ([Scope.READ, Scope.WRITE], 200, 200),
    ],
)
def test_scopes_are_asked_by_method(
    client: Client, lior: User, hana: User, scopes: list[Scope], reads: int, writes: int
) -> None:
    headers = bearer(lior.make_token("a program", scopes, 1))
    assert client.post(FOLLOW, headers=headers).status_code == writes
    assert client.get(HANA, headers=headers).status_code == reads
    assert client.get("/api/schema/", headers=headers).status_code == reads
    assert hana.is_followed_by(lior) == (writes == 200)


def test_a_missing_scope_is_said(client: Client, lior: User, hana: User) -> None:
    answer = client.delete(FOLLOW, headers=bearer(lior.make_token("a program", [Scope.READ], 1)))
    said = {"code": "scope_missing", "detail": "This token does not have the scope that this needs."}
    assert (answer.status_code, answer.json()) == (403, said)


def test_an_expired_token_opens_nothing(client: Client, lior: User, hana: User) -> None:
    headers = bearer(lior.make_token("a program", [Scope.READ], 1))
    ApiToken.objects.update(expires_at=timezone.now())
    answer = client.get(HANA, headers=headers)
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    assert answer.json()["detail"] == "This token is unknown, expired or revoked."


def test_use_is_noted_once_an_hour(client: Client, lior: User, hana: User) -> None:
    headers = bearer(lior.make_token("a program", [Scope.READ], 1))
    client.get(HANA, headers=headers)
    first = ApiToken.objects.get().used_at
    assert first is not None
    client.get(HANA, headers=headers)
    assert ApiToken.objects.get().used_at == first
    ApiToken.objects.update(used_at=first - timedelta(hours=1))
    client.get(HANA, headers=headers)
    assert ApiToken.objects.filter(used_at__gte=first).exists()


def test_the_schema_says_how_to_send_a_token(client: Client, lior: User) -> None:
    answer = client.get("/api/schema/?format=json", headers=bearer(lior.make_token("a program", [Scope.READ], 1)))
    assert '"scheme": "bearer"' in answer.content.decode().replace('":"', '": "')


# What ends them


def test_a_suspension_revokes_all_for_good(client: Client, lior: User, hana: User, tomorrow: Any) -> None:
    headers = bearer(lior.make_token("a program", [Scope.READ], 1))
    lior.suspend(tomorrow)
    lior.lift_suspension()
    assert client.get(HANA, headers=headers).status_code == 401
    lior.suspend(tomorrow)
    with pytest.raises(Refused):
        lior.make_token("a program", [Scope.READ], 1)


def test_a_locked_account_has_no_tokens(client: Client, lior: User, hana: User) -> None:
    headers = bearer(lior.make_token("a program", [Scope.READ], 1))
    lior.deactivate()
    lior.activate()
    assert client.get(HANA, headers=headers).status_code == 401


@pytest.mark.parametrize("change", [{"is_active": False}, {"suspended_until": timezone.now() + timedelta(days=1)}])
def test_rows_that_changed_without_a_verb_count_as_well(
    client: Client, lior: User, hana: User, change: dict[str, Any]
) -> None:
    headers = bearer(lior.make_token("a program", [Scope.READ], 1))
    give(lior, **change)
    assert client.get(HANA, headers=headers).status_code == 401
