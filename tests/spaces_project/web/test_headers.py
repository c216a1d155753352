"""Headers for the safety of browsers on every kind of answer, and what the API answers outside its views."""

from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from django.conf import LazySettings
from django.test import Client

from accounts.models import User
from spaces_project.headers import NO_PAGE, PERMISSIONS, SafetyHeaders

OWN = b"default-src 'self'"


async def headers_of(scheme: str, own: list[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """The headers of an answer with its `own` ones, sent through SafetyHeaders."""

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": own})
        await send({"type": "http.response.body", "body": b""})

    page = ApplicationCommunicator(SafetyHeaders(application, 60), {"type": "http", "scheme": scheme})
    await page.send_input({"type": "http.request"})
    start = await page.receive_output()
    assert len(start["headers"]) == len({name.lower() for name, _ in start["headers"]})
    return dict(start["headers"])


async def test_an_answer_without_headers_gets_all_of_them() -> None:
    headers = await headers_of("https", [])
    assert headers[b"content-security-policy"] == NO_PAGE
    assert headers[b"permissions-policy"] == PERMISSIONS
    assert headers[b"strict-transport-security"] == b"max-age=60"
    assert headers[b"x-content-type-options"] == b"nosniff"


async def test_what_a_page_says_itself_stays() -> None:
    headers = await headers_of("https", [(b"Content-Security-Policy", OWN)])
    assert headers[b"Content-Security-Policy"] == OWN
    assert b"microphone=(self)" in headers[b"permissions-policy"]


async def test_plain_http_gets_no_word_about_https() -> None:
    assert b"strict-transport-security" not in await headers_of("http", [])


@pytest.mark.parametrize(
    ("path", "host", "status"),
    [
        ("/hls/own/x/y.m3u8", b"testserver", 403),
        ("/hls/nothing", b"testserver", 404),
        ("/static/nothing.js", b"testserver", 404),
        ("/accounts/login/", b"evil.example", 400),
        ("/accounts/login/", b"testserver", 200),
    ],
)
@pytest.mark.django_db(transaction=True)
async def test_every_kind_of_answer_of_the_site_has_them(path: str, host: bytes, status: int) -> None:
    from spaces_project.asgi import application

    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": [(b"host", host)]}
    page = ApplicationCommunicator(application, scope | {"scheme": "http", "client": ["127.0.0.1", 1]})
    await page.send_input({"type": "http.request"})
    start = await page.receive_output(timeout=10)
    headers = {name.lower(): value for name, value in start["headers"]}
    assert start["status"] == status
    assert headers[b"permissions-policy"] == PERMISSIONS
    assert b"frame-ancestors 'none'" in headers[b"content-security-policy"]
    await page.wait(10)


def test_the_api_refuses_plain_http_and_pages_redirect(client: Client, settings: LazySettings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    answer = client.get("/api/me/", headers={"Authorization": "Token x"})
    assert (answer.status_code, answer.json()["code"]) == (403, "https_only")
    assert client.get("/accounts/login/").status_code == 301


@pytest.mark.parametrize("path", ["/", "/accounts/login/", "/api/spaces/", "/health", "/metrics"])
def test_trace_is_refused(client: Client, hana: User, path: str) -> None:
    client.force_login(hana)
    answer = client.trace(path, headers={"X-Secret": "echoed"})
    assert answer.status_code in (302, 403, 404, 405)  # a log-in page leads members on
    assert b"echoed" not in answer.content


def test_the_api_answers_over_https(client: Client, settings: LazySettings, hana: User) -> None:
    settings.SECURE_SSL_REDIRECT = True
    client.force_login(hana)
    assert client.get("/api/spaces/", secure=True).status_code == 200


def test_an_unknown_address_of_the_api_is_json(client: Client, hana: User) -> None:
    client.force_login(hana)
    answer = client.get("/api/nothing/")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert "text/html" in client.get("/nothing/").headers["Content-Type"]
