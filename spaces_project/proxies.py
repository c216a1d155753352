"""Takes the origin of a request from X-Forwarded headers, but only from proxies that the operator has named."""

import re
from collections.abc import Awaitable, Callable, Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Scope = dict[str, Any]
Application = Callable[[Scope, Any, Any], Awaitable[None]]

FORWARDED = {b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"x-forwarded-port", b"forwarded"}
#: Some proxies add the port, as in RFC 7239: 203.0.113.9:51234 and [2001:db8::9]:51234.
WITH_PORT = re.compile(r"\[([^\]]+)\](?::\d+)?|([\d.]+):\d+")
SECURE = {"http": "https", "websocket": "wss"}


class TrustedProxies:
    """ASGI middleware that takes client address and scheme from X-Forwarded-For and -Proto of the named proxies.

    Forwarding headers of other clients are removed, so that no code behind believes them by mistake. `forwarded` in
    the scope says whether there were any.
    """

    def __init__(self, application: Application, trusted: Iterable[str]) -> None:
        self.application = application
        self.trusted = [ip_network(address, strict=False) for address in trusted]

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] in SECURE:
            scope = self._read(scope)
        await self.application(scope, receive, send)

    def _read(self, scope: Scope) -> Scope:
        headers = scope["headers"]
        kept = [pair for pair in headers if pair[0].lower() not in FORWARDED]
        cleaned = scope | {"headers": kept, "forwarded": len(kept) < len(headers)}
        client = scope.get("client")
        if client is None:
            return cleaned
        peer = address_in(client[0])
        cleaned["client"] = [str(peer) if peer else client[0], *client[1:]]
        if not self._trusts(peer):
            return cleaned
        given = {name.lower(): value.decode("latin-1").strip() for name, value in headers}
        if given.get(b"x-forwarded-proto") == "https":
            cleaned["scheme"] = SECURE[scope["type"]]
        if address := self._origin(given.get(b"x-forwarded-for", "")):
            cleaned["client"] = [str(address), 0]
        return cleaned

    def _origin(self, chain: str) -> Address | None:
        """The last address that is no trusted proxy. The client may have invented what stands before it."""
        for part in reversed([part for part in chain.split(",") if part.strip()]):
            address = address_in(part)
            if address is None or not self._trusts(address):
                return address
        return None

    def _trusts(self, address: Address | None) -> bool:
        return address is not None and any(address in network for network in self.trusted)


def address_in(text: str) -> Address | None:
    """The IP address in a part of X-Forwarded-For, without quotes and port; None if there is none.

    An IPv4 address that is mapped into IPv6 (RFC 4291, 2.5.5.2) is the IPv4 address.
    """
    text = text.strip().strip('"')
    if found := WITH_PORT.fullmatch(text):
        text = found[1] or found[2]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def check_network(text: str) -> None:
    """Raise ValueError with a text that says why `text` is no address and no network."""
    try:
        ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"{text} is no IP address and no network; a host name is not looked up") from None
