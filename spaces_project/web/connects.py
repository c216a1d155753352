"""How fast websockets may be opened, and how many may be open, for one address, one session and one member.

A connection costs a session, a member and often a lock of the Space, so a page that connects in a loop slows down
all others. The counts are of one process. A refused connection ends before it is accepted and costs no query.
"""

import hashlib
import time
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any

from django.conf import settings

from accounts.shared.throttles import network
from accounts.tokens.sockets import bearer
from rooms.media.rate_limit import RateLimit
from spaces_project.web.lines import is_large

MOST_REMEMBERED = 20_000  # keys; the one that connected longest ago is forgotten first

Scope = dict[str, Any]
Application = Callable[[Scope, Any, Any], Awaitable[None]]


@dataclass(frozen=True)
class Limit:
    """Websockets of one key: `per_second` sustained, `burst` at once, and `most_open` at one time."""

    per_second: float
    burst: int
    most_open: int


# Many members may share one address, and all of them connect again when a web process starts again.
OF_ADDRESS = Limit(per_second=20, burst=2000, most_open=5000)
OF_SESSION = OF_MEMBER = Limit(per_second=1, burst=40, most_open=60)  # a page has two


class ConnectLimit:
    """ASGI middleware for websockets. `key` says to whom a connection belongs; None is not limited here."""

    def __init__(self, application: Application, key: Callable[[Scope], str | None], limit: Limit) -> None:
        self.application, self.key, self.limit = application, key, limit
        self._rates: OrderedDict[str, RateLimit] = OrderedDict()
        self._open: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Pass the connection on, or refuse it with 403."""
        key = self.key(scope)
        if key is None:
            return await self.application(scope, receive, send)
        if not self._may_open(key):
            await send({"type": "websocket.close"})
            return None
        self._open[key] += 1
        try:
            return await self.application(scope, receive, send)
        finally:
            self._open[key] -= 1
            if not self._open[key]:
                del self._open[key]

    def _may_open(self, key: str) -> bool:
        rate = self._rates.pop(key, None) or RateLimit(self.limit.per_second, self.limit.burst)
        self._rates[key] = rate
        if len(self._rates) > MOST_REMEMBERED:
            self._rates.popitem(last=False)
        return rate.allows(time.monotonic()) and self._open[key] < self.limit.most_open


def address(scope: Scope) -> str | None:
    """The address of the client, or its network if it is IPv6. `TrustedProxies` has to stand before."""
    client = scope.get("client")
    return network(client[0]) if client else None


def session(scope: Scope) -> str | None:
    """A digest of the token or of the session cookie, whether or not there is such a one."""
    key = bearer(scope)
    if key is not None:
        return hashlib.sha256(key.encode()).hexdigest()
    cookies = dict(scope["headers"]).get(b"cookie", b"").decode("latin-1")
    try:
        morsel = SimpleCookie(cookies).get(settings.SESSION_COOKIE_NAME)
    except CookieError:
        return None
    return hashlib.sha256(morsel.value.encode()).hexdigest() if morsel else None


def of_large(scope: Scope) -> str | None:
    """As `session`, for requests with a large body alone."""
    return session(scope) if is_large(scope) else None


def member(scope: Scope) -> str | None:
    """The member of the token or of the session. `TokenOrSession` has to stand before."""
    return str(scope["user"].pk) if scope["user"].is_authenticated else None
