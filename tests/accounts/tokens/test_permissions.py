"""Operations of staff: they need a member of staff, and of a token the scope `moderate`."""

import pytest
from django.test import Client
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from accounts.models import ApiToken, Scope, User
from accounts.tokens.permissions import IsModerator


def may_moderate(user: User, scopes: list[Scope] | None = None) -> bool:
    """Whether a request of `user` may moderate: with a token of these scopes, or with a session."""
    request = Request(APIRequestFactory().post("/"))
    request.user = user
    if scopes is not None:
        request.auth = ApiToken(user=user, scopes=scopes)
    return IsModerator().has_permission(request, None)


@pytest.mark.parametrize(
    ("scopes", "may"),
    [([Scope.READ, Scope.WRITE], False), ([Scope.MODERATE], True), (None, True)],
)
def test_staff_need_the_scope_of_a_token(mo: User, scopes: list[Scope] | None, may: bool) -> None:
    assert may_moderate(mo, scopes) == may


@pytest.mark.parametrize("scopes", [[Scope.MODERATE], None])
def test_members_never_moderate(dee: User, scopes: list[Scope] | None) -> None:
    assert not may_moderate(dee, scopes)


def test_a_token_loses_the_scope_with_the_job(mo: User) -> None:
    mo.make_token("a program", [Scope.MODERATE], 1)
    assert may_moderate(mo, [Scope.MODERATE])
    mo.is_staff = False
    assert not ApiToken(user=mo, scopes=[Scope.MODERATE]).allows(Scope.MODERATE)


def test_a_refused_request_is_logged_with_its_address(hana: User, dee: User, caplog: pytest.LogCaptureFixture) -> None:
    key = dee.make_token("a program", [Scope.READ], 1)
    answer = Client().post("/api/people/hana/follow/", headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 403
    assert "Forbidden: /api/people/hana/follow/" in caplog.messages
    assert key not in caplog.text
