"""Which pages may open a websocket: those of this site itself, as for forms.

A browser sends the cookies of the site whatever page opens the websocket (RFC 6455, section 10.2).
"""

from collections.abc import Awaitable, Callable
from typing import Any

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from accounts.tokens.sockets import bearer

Scope = dict[str, Any]
Application = Callable[[Scope, Any, Any], Awaitable[None]]
HTTP = {"ws": "http", "wss": "https"}


class SameOrigin:
    """ASGI middleware for websockets: refuses a page of another scheme, host or port with 403.

    A page of CSRF_TRUSTED_ORIGINS passes too: behind a proxy the site may not know its own scheme and port. So does a
    program with a token: no page can send one, and cookies beside it are not read.
    `TrustedProxies` has to stand before.
    """

    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if _is_same(scope) or bearer(scope) is not None:
            await self.application(scope, receive, send)
        else:
            await send({"type": "websocket.close"})


def _is_same(scope: Scope) -> bool:
    headers = {name: value.decode("latin-1").lower() for name, value in scope["headers"]}
    origin, host = headers.get(b"origin", ""), headers.get(b"host", "")
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    own = f"{HTTP[scope.get('scheme') or 'ws']}://{host}"
    return origin == own and validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS)
