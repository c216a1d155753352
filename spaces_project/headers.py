"""Headers for the safety of browsers on every kind of answer: pages, the API, static files, HLS files and refusals."""

from collections.abc import Awaitable, Callable
from typing import Any

Scope = dict[str, Any]
Application = Callable[[Scope, Any, Any], Awaitable[None]]

#: For answers that are no pages. Pages set their own policy, which is wider.
NO_PAGE = b"default-src 'none'; frame-ancestors 'none'"
PERMISSIONS = b"microphone=(self), camera=(), geolocation=(), payment=(), usb=(), midi=()"


class SafetyHeaders:
    """ASGI application that adds the headers which an answer of the application inside does not have.

    `hsts_seconds` is for answers over HTTPS (RFC 6797); 0 sends none.
    """

    def __init__(self, application: Application, hsts_seconds: int) -> None:
        self.application = application
        self.always = [
            (b"content-security-policy", NO_PAGE),
            (b"permissions-policy", PERMISSIONS),
            (b"referrer-policy", b"same-origin"),
            (b"x-content-type-options", b"nosniff"),
        ]
        self.secure = [(b"strict-transport-security", b"max-age=%d" % hsts_seconds)] if hsts_seconds else []

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        wanted = self.always + (self.secure if scope.get("scheme") == "https" else [])

        async def send_with_headers(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", []))
                there = {name.lower() for name, _ in headers}
                message = message | {"headers": headers + [pair for pair in wanted if pair[0] not in there]}
            await send(message)

        await self.application(scope, receive, send_with_headers)
