"""/metrics of a web process: only with the token, with a limited number of series, and true to the rows."""

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from accounts.models import User
from rooms.models import Space
from tests.rig.media.heartbeat import beat, died

pytestmark = pytest.mark.django_db(transaction=True)
TOKEN = "for-prometheus-alone"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


def read(client: Client) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Every sample: (name, sorted labels) -> value."""
    answer = client.get("/metrics", headers=BEARER)
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain; version=")
    families = text_string_to_metric_families(answer.content.decode())
    return {(one.name, tuple(sorted(one.labels.items()))): one.value for family in families for one in family.samples}


@pytest.fixture(autouse=True)
def _token(settings: Settings) -> None:
    settings.METRICS_TOKEN = TOKEN


@pytest.mark.parametrize("given", [{}, {"Authorization": "Bearer another"}, {"Authorization": TOKEN}])
def test_without_the_token_there_is_nothing(client: Client, given: dict[str, str]) -> None:
    answer = client.get("/metrics", headers=given)
    assert (answer.status_code, answer.content) == (401, b"")


def test_without_a_token_there_are_no_metrics(client: Client, settings: Settings) -> None:
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


@pytest.mark.parametrize(
    ("address", "secure", "status"),
    [("8.8.8.8", False, 403), ("8.8.8.8", True, 200), ("127.0.0.1", False, 200), ("10.0.0.7", False, 200)],
)
def test_the_token_does_not_travel_in_clear(
    client: Client, settings: Settings, address: str, secure: bool, status: int
) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/metrics", headers=BEARER, secure=secure, REMOTE_ADDR=address).status_code == status


def test_staff_without_the_token_do_not_read(client: Client, mo: User) -> None:
    client.force_login(mo)
    assert client.get("/metrics").status_code == 401


def test_it_is_only_read(client: Client) -> None:
    assert client.post("/metrics", headers=BEARER).status_code == 405


def test_rows_are_counted(client: Client, hana: User, lior: User) -> None:
    lior.follow(hana)
    tea = Space.open(hana, title="Tea at four", audience=Space.Audience.FOLLOWERS)
    tea.enter(lior).ask_to_speak()
    beat("metrics-test")
    try:
        found = read(client)
    finally:
        died("metrics-test")
    assert found["spaces_live", ()] == 1
    assert found["spaces_people", (("role", "host"),)] == 1
    assert found["spaces_people", (("role", "listener"),)] == 1
    assert found["spaces_requests_waiting", ()] == 1
    assert found["spaces_recordings", (("state", "open"),)] == 1
    assert found["spaces_media_nodes", ()] >= 1
    tea.end()
    assert read(client)["spaces_live", ()] == 0


def test_requests_are_measured_by_the_name_of_their_address(client: Client) -> None:
    def count(view: str, method: str, status: int) -> float:
        labels = (("method", method), ("status", str(status)), ("view", view))
        return read(client).get(("spaces_http_request_seconds_count", labels), 0.0)

    before = count("health", "GET", 200), count("none", "other", 404)
    client.get("/health")
    client.get("/health?other=1")
    client.generic("BREW", "/nothing-of-this-name/")
    assert count("health", "GET", 200) - before[0] == 2
    assert count("none", "other", 404) - before[1] == 1
