"""Which pages may open a websocket: scheme, host and port have to be those of the site."""

from typing import Any

import pytest
from pytest_django import Settings

from spaces_project.web.origin import SameOrigin

pytestmark = pytest.mark.asyncio
SITE = "spaces.example.org"


@pytest.fixture(autouse=True)
def _site(settings: Settings) -> None:
    settings.ALLOWED_HOSTS, settings.CSRF_TRUSTED_ORIGINS = [SITE, "[::1]"], []


async def passes(origin: str | None, host: str = SITE, scheme: str = "wss") -> bool:
    """Whether the application is reached by a page of `origin` that asks `host`. If not, the socket is closed."""
    passed: list[Any] = []
    refused: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        passed.append(scope)

    async def send(message: Any) -> None:
        refused.append(message)

    headers = [(b"host", host.encode())] + ([(b"origin", origin.encode())] if origin is not None else [])
    await SameOrigin(application)({"type": "websocket", "scheme": scheme, "headers": headers}, None, send)
    assert refused == ([] if passed else [{"type": "websocket.close"}])
    return bool(passed)


@pytest.mark.parametrize(
    ("origin", "host", "scheme"),
    [
        (f"https://{SITE}", SITE, "wss"),
        (f"https://{SITE.upper()}", SITE, "wss"),
        (f"https://{SITE}:8443", f"{SITE}:8443", "wss"),
        ("http://[::1]:8000", "[::1]:8000", "ws"),
    ],
)
async def test_pages_of_the_site_pass(origin: str, host: str, scheme: str) -> None:
    assert await passes(origin, host, scheme)


@pytest.mark.parametrize(
    "origin",
    [None, "", "null", f"http://{SITE}", f"https://{SITE}:8443", f"https://evil.{SITE}", "https://evil.example", SITE],
)
async def test_all_other_pages_are_refused(origin: str | None) -> None:
    assert not await passes(origin)


async def test_a_host_that_the_site_does_not_answer_to_is_refused() -> None:
    assert not await passes("https://evil.example", "evil.example")


async def test_the_public_address_passes_behind_a_proxy_that_names_neither(settings: Settings) -> None:
    assert not await passes(f"https://{SITE}", "127.0.0.1:8000", "ws")
    settings.CSRF_TRUSTED_ORIGINS = [f"https://{SITE}"]
    assert await passes(f"https://{SITE}", "127.0.0.1:8000", "ws")
