"""Takes the origin of a request from X-Forwarded headers, but only from proxies that the operator has named."""

from collections.abc import Awaitable, Callable, Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

Network = IPv4Network | IPv6Network
Scope = dict[str, Any]
Application = Callable[[Scope, Any, Any], Awaitable[None]]

FORWARDED = {b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"x-forwarded-port", b"forwarded"}
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
        if client is None or not self._trusts(client[0]):
            return cleaned
        given = {name.lower(): value.decode("latin-1").strip() for name, value in headers}
        if given.get(b"x-forwarded-proto") == "https":
            cleaned["scheme"] = SECURE[scope["type"]]
        if address := self._origin(given.get(b"x-forwarded-for", "")):
            cleaned["client"] = [address, 0]
        return cleaned

    def _origin(self, chain: str) -> str | None:
        """The last address that is no trusted proxy. The client may have invented what stands before it."""
        for address in reversed([part.strip() for part in chain.split(",")]):
            if not _is_address(address):
                return None
            if not self._trusts(address):
                return address
        return None

    def _trusts(self, address: str) -> bool:
        return _is_address(address) and any(ip_address(address) in network for network in self.trusted)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
