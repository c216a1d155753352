"""/health: open to all, cheap, honest."""

import pytest
import redis
from django.db import DatabaseError, connection
from django.test import Client

from rooms.store.client import redis_client
from spaces_project import health
from spaces_project.tasks import CANARY, canary
from tests.rig.media.heartbeat import beat, died


@pytest.fixture(autouse=True)
def _no_canary() -> None:
    redis_client().delete(CANARY)


@pytest.mark.django_db
def test_a_healthy_machine_says_so_without_log_in(client: Client) -> None:
    answer = client.get("/health")
    assert answer.status_code == 200
    assert answer.json() == {"ok": True, "database": True, "redis": True, "nodes": 0, "jobs_age_seconds": None}
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.django_db
def test_nodes_are_counted_by_their_heartbeats(client: Client) -> None:
    beat("health-test")
    assert client.get("/health").json()["nodes"] == 1
    died("health-test")
    assert client.get("/health").json()["nodes"] == 0


@pytest.mark.django_db
def test_the_canary_shows_that_jobs_are_done(client: Client) -> None:
    canary()
    assert 0 <= client.get("/health").json()["jobs_age_seconds"] < 60


def refuse(*args: object, **options: object) -> None:
    raise DatabaseError("connection refused")


@pytest.mark.django_db
def test_without_database_it_is_503(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "cursor", refuse)
    answer = client.get("/health")
    assert answer.status_code == 503
    assert answer.json()["database"] is False


@pytest.mark.django_db
def test_without_redis_it_is_503(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    unreachable = redis.Redis(unix_socket_path="/nonexistent/redis.sock", retry=None)
    monkeypatch.setattr(health, "redis_client", lambda: unreachable)
    answer = client.get("/health")
    assert answer.status_code == 503
    assert answer.json()["redis"] is False


@pytest.mark.django_db
def test_it_is_only_read(client: Client) -> None:
    assert client.post("/health").status_code == 405


@pytest.mark.django_db
def test_it_asks_the_database_once(client: Client, django_assert_num_queries: object) -> None:
    with django_assert_num_queries(1):  # type: ignore[operator]
        client.get("/health")
