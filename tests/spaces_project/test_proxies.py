"""Forwarding headers are believed from named proxies only."""

from typing import Any

import pytest

from spaces_project.proxies import TrustedProxies

PROXY, MEMBER, STRANGER = "10.0.0.1", "203.0.113.7", "198.51.100.9"


async def seen(client: str | None, headers: dict[str, str], kind: str = "http") -> dict[str, Any]:
    """The scope that the application behind the middleware gets."""
    got: dict[str, Any] = {}

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        got.update(scope)

    scope = {
        "type": kind,
        "scheme": "http" if kind == "http" else "ws",
        "client": [client, 5000] if client else None,
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }
    await TrustedProxies(application, ["10.0.0.0/8", "::1"])(scope, None, None)
    return got


async def test_a_named_proxy_is_believed() -> None:
    scope = await seen(PROXY, {"X-Forwarded-For": MEMBER, "X-Forwarded-Proto": "https"})
    assert scope["client"] == [MEMBER, 0]
    assert scope["scheme"] == "https"


async def test_a_websocket_behind_a_named_proxy_is_secure() -> None:
    scope = await seen(PROXY, {"X-Forwarded-For": MEMBER, "X-Forwarded-Proto": "https"}, "websocket")
    assert scope["scheme"] == "wss"


async def test_a_stranger_is_not_believed_and_the_headers_are_gone() -> None:
    claims = {
        "X-Forwarded-For": "127.0.0.1",
        "X-Forwarded-Proto": "https",
        "Forwarded": "for=127.0.0.1",
        "Accept": "*/*",
    }
    scope = await seen(STRANGER, claims)
    assert scope["client"] == [STRANGER, 5000]
    assert scope["scheme"] == "http"
    assert scope["headers"] == [(b"accept", b"*/*")]


async def test_what_the_member_put_before_the_proxys_word_is_not_believed() -> None:
    scope = await seen(PROXY, {"X-Forwarded-For": f"127.0.0.1, {MEMBER}"})
    assert scope["client"] == [MEMBER, 0]


async def test_a_chain_of_named_proxies_is_followed() -> None:
    scope = await seen("::1", {"X-Forwarded-For": f"{MEMBER}, 10.0.0.2"})
    assert scope["client"] == [MEMBER, 0]


@pytest.mark.parametrize("chain", ["", "unknown", "nonsense, 10.0.0.2", "10.0.0.3", "203.0.113.7, <script>"])
async def test_a_chain_without_an_address_changes_nothing(chain: str) -> None:
    assert (await seen(PROXY, {"X-Forwarded-For": chain}))["client"] == [PROXY, 5000]


@pytest.mark.parametrize(
    ("chain", "client"),
    [
        ("203.0.113.9:51234", "203.0.113.9"),
        ("[2001:db8::9]:51234", "2001:db8::9"),
        ("[2001:db8::9]", "2001:db8::9"),
        ('"203.0.113.9"', "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("unknown, 203.0.113.9", "203.0.113.9"),
        ("203.0.113.9,", "203.0.113.9"),
        ("203.0.113.9:51234, 10.0.0.2:443", "203.0.113.9"),
    ],
)
async def test_ports_quotes_and_mapped_addresses_are_read(chain: str, client: str) -> None:
    assert (await seen(PROXY, {"X-Forwarded-For": chain}))["client"] == [client, 0]


async def test_a_proxy_is_believed_through_a_socket_for_both_kinds_of_addresses() -> None:
    scope = await seen(f"::ffff:{PROXY}", {"X-Forwarded-For": MEMBER, "X-Forwarded-Proto": "https"})
    assert (scope["client"], scope["scheme"]) == ([MEMBER, 0], "https")
    assert (await seen(f"::ffff:{STRANGER}", {}))["client"] == [STRANGER, 5000]


async def test_a_connection_without_address_has_no_client() -> None:
    scope = await seen(None, {"X-Forwarded-For": MEMBER})
    assert scope["client"] is None


async def test_only_https_is_a_promise() -> None:
    assert (await seen(PROXY, {"X-Forwarded-Proto": "gopher"}))["scheme"] == "http"
