"""Every refusal of the API is `{code, detail}`, and its schema says so."""

from typing import Any

import pytest
from django.test import Client
from drf_spectacular.validation import validate_schema

from accounts.models import User
from accounts.rules import FOLLOW_REASONS

REFUSAL = {"$ref": "#/components/schemas/Refusal"}


@pytest.fixture
def schema(client: Client, lior: User) -> dict[str, Any]:
    client.force_login(lior)
    answer = client.get("/api/schema/", headers={"Accept": "application/vnd.oai.openapi+json"})
    return dict(answer.json())


def operations(schema: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(path, one) for path, methods in schema["paths"].items() for one in methods.values()]


def test_the_schema_is_valid(schema: dict[str, Any]) -> None:
    validate_schema(schema)
    assert set(schema["components"]["schemas"]["Refusal"]["required"]) == {"code", "detail"}


def test_every_operation_says_how_it_refuses(schema: dict[str, Any]) -> None:
    assert len(operations(schema)) >= 5
    for path, operation in operations(schema):
        expected = {"401", "429"} | ({"404"} if "{" in path else set())
        assert expected <= set(operation["responses"]), path
        for status in expected:
            assert operation["responses"][status]["content"]["application/json"]["schema"] == REFUSAL


def test_following_names_the_codes(schema: dict[str, Any]) -> None:
    refused = schema["paths"]["/api/people/{handle}/follow/"]["post"]["responses"]["403"]
    assert all(reason in refused["description"] for reason in FOLLOW_REASONS)
    assert refused["content"]["application/json"]["schema"] == REFUSAL
