"""The schema of the API is for members, and is generated once for each language."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from spaces_project.web import schema

ADDRESS = "/api/schema/"


@pytest.fixture
def generated(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """One entry for each time that a schema is generated."""
    monkeypatch.setattr(schema, "_made", {})
    times: list[bool] = []
    real = schema.OnceGenerator._generate

    def counted(self: schema.OnceGenerator, request: Any, public: bool) -> dict[str, Any]:
        times.append(public)
        return real(self, request, public)

    monkeypatch.setattr(schema.OnceGenerator, "_generate", counted)
    return times


def test_a_stranger_without_an_account_gets_none(client: Client, db: None, generated: list[bool]) -> None:
    answer = client.get(ADDRESS)
    assert answer.status_code == 401
    assert b"paths" not in answer.content
    assert generated == []


def test_members_get_the_one_that_was_generated_once(
    client: Client, generated: list[bool], hana: User, lior: User
) -> None:
    got = []
    for member in (hana, lior, lior):
        client.force_login(member)
        got.append(client.get(ADDRESS).content)
    assert len(set(got)) == 1
    assert generated == [True]


def test_each_language_has_its_own(client: Client, generated: list[bool], lior: User) -> None:
    client.force_login(lior)
    for language in ("en", "de", "de"):
        assert client.get(ADDRESS, headers={"Accept-Language": language}).status_code == 200
    assert len(generated) == 2
