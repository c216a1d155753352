"""How many requests of one address and of one session are worked on at a time. Others of the same wait in line.

Each request in work may hold a connection to PostgreSQL, of which a process has a few (DATABASE_POOL). Without lines
one member who asks a hundred times at once would take all of them. The counts are of one process.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from django.conf import settings
from prometheus_client import Counter

Scope = dict[str, Any]
Application = Callable[[Scope, Any, Any], Awaitable[None]]

WAIT_SECONDS = 20.0
RETRY_AFTER = 5  # seconds
HEALTH = "/health"
LOOPBACK = {"127.0.0.1", "::1"}
TEXT = "The server is busy with your other requests. Try again in a moment."
REFUSED = Counter("spaces_http_lines_refused", "Requests refused because too many of the same were waiting.", ["line"])


@dataclass(frozen=True)
class Limit:
    """Requests of one key: `at_once` in work, and `waiting` behind them. `name` is for the metric."""

    name: str
    at_once: int
    waiting: int


OF_ADDRESS = Limit("address", at_once=8, waiting=1000)  # many members may share one address
OF_SESSION = Limit("session", at_once=4, waiting=60)
# A body waits in memory, up to 8 MB of it.
LARGE_OF_SESSION, LARGE = Limit("large of session", at_once=1, waiting=1), Limit("large", at_once=2, waiting=6)
LARGE_BYTES = 512 * 1024
IN_WORK = 2  # small requests of the whole process; more threads take the interpreter from the event loop


@dataclass
class Line:
    working: int = 0
    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)


class RequestLines:
    """ASGI middleware for HTTP. `key` says to whom a request belongs; None does not wait here."""

    def __init__(self, application: Application, key: Callable[[Scope], str | None], limit: Limit) -> None:
        self.application, self.key, self.limit = application, key, limit
        self._lines: dict[str, Line] = {}

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Pass the request on when it is its turn. 503 if the line is too long, or takes too long."""
        key = None if has_no_line(scope) else self.key(scope)
        if key is None:
            return await self.application(scope, receive, send)
        if not await self._enter(key):
            REFUSED.labels(self.limit.name).inc()
            return await _refuse(send)
        try:
            return await self.application(scope, receive, send)
        finally:
            self._leave(key)

    async def _enter(self, key: str) -> bool:
        line = self._lines.setdefault(key, Line())
        if line.working < self.limit.at_once:
            line.working += 1
            return True
        if len(line.waiting) >= self.limit.waiting:
            return False
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        line.waiting.append(turn)
        return await self._wait(key, line, turn)

    async def _wait(self, key: str, line: Line, turn: asyncio.Future[None]) -> bool:
        try:
            await asyncio.wait_for(asyncio.shield(turn), WAIT_SECONDS)
        except TimeoutError:
            self._give_up(key, line, turn)
            return False
        except asyncio.CancelledError:
            self._give_up(key, line, turn)
            raise
        return True

    def _give_up(self, key: str, line: Line, turn: asyncio.Future[None]) -> None:
        """Leave the line. The turn may have come in this moment; then it goes to the next one."""
        if turn.done():
            self._leave(key)
        else:
            line.waiting.remove(turn)
            turn.cancel()

    def _leave(self, key: str) -> None:
        """Hand the place to the next one in line, or free it."""
        line = self._lines[key]
        if line.waiting:
            line.waiting.popleft().set_result(None)
            return
        line.working -= 1
        if not line.working:
            del self._lines[key]


class Turns:
    """ASGI middleware for HTTP: few requests in work at a time, and turns among those who wait.

    Each has a turn before any other has a second one. So eight members who ask without end delay the others by eight
    requests, not by all of theirs.
    """

    def __init__(self, application: Application, key: Callable[[Scope], str | None], at_once: int) -> None:
        self.application, self.key, self.at_once = application, key, at_once
        self._working = 0
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Pass the request on when it is its turn."""
        if has_no_line(scope) or is_large(scope):
            return await self.application(scope, receive, send)
        await self._take(self.key(scope) or "")
        try:
            return await self.application(scope, receive, send)
        finally:
            self._pass_on()

    async def _take(self, key: str) -> None:
        if self._working < self.at_once:
            self._working += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        """Give the place to the first of the next key, whose others go to the end. Free it if no one waits."""
        while self._waiting:
            key, turns = self._waiting.popitem(last=False)
            turn = turns.popleft()
            if turns:
                self._waiting[key] = turns
            if not turn.cancelled():
                turn.set_result(None)
                return
        self._working -= 1


def has_no_line(scope: Scope) -> bool:
    """Whether the request needs no connection to the database, or is the machine's own question whether there is one.

    An address below /static/ without a file is a page that says so. It waits like any other.
    """
    path = scope["path"]
    if path == HEALTH:
        return not scope.get("forwarded") and (scope.get("client") or [""])[0] in LOOPBACK
    return path.startswith(settings.STATIC_URL) and _is_file(path.removeprefix(settings.STATIC_URL))


def _is_file(name: str) -> bool:
    """Whether there is a static file of this name. Names that lead out of the folder are none."""
    if "\0" in name:
        return False
    found = (settings.STATIC_ROOT / name).resolve()
    return found.is_relative_to(settings.STATIC_ROOT.resolve()) and found.is_file()


def is_large(scope: Scope) -> bool:
    """Whether the request has a large body, or one whose length it does not say (RFC 9112, section 7.1)."""
    headers = dict(scope["headers"])
    length = headers.get(b"content-length", b"0")
    return b"transfer-encoding" in headers or (length.isdigit() and int(length) > LARGE_BYTES)


def large(scope: Scope) -> str | None:
    """One key for all large requests."""
    return "large" if is_large(scope) else None


async def _refuse(send: Any) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"retry-after", str(RETRY_AFTER).encode())]
    await send({"type": "http.response.start", "status": HTTPStatus.SERVICE_UNAVAILABLE, "headers": headers})
    await send({"type": "http.response.body", "body": TEXT.encode()})
