"""How websockets know the member of a token: the header `Authorization: Bearer` of the handshake (RFC 6455, 4.1)."""

from collections.abc import Awaitable, Callable
from typing import Any

from channels.db import database_sync_to_async

from accounts.models import ApiToken

ConnectionScope = dict[str, Any]
Application = Callable[[ConnectionScope, Any, Any], Awaitable[None]]
SCHEME = "bearer "


def bearer(scope: ConnectionScope) -> str | None:
    """The key in the header of the handshake; None if the connection has a session or nothing.

    No page can make a browser send this header with a websocket. The header `Basic` could come from a browser.
    """
    header = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
    return header[len(SCHEME) :].strip() if header.lower().startswith(SCHEME) else None


class TokenOrSession:
    """ASGI middleware: the member of a token if the handshake has one, otherwise that of the session.

    Cookies beside a token are not read, so that the check of the origin is not needed. A token that opens nothing is
    refused with 403 before the websocket is accepted. `scope["token"]` is the ApiToken.
    """

    def __init__(self, application: Application, with_session: Application) -> None:
        self.application, self.with_session = application, with_session

    async def __call__(self, scope: ConnectionScope, receive: Any, send: Any) -> None:
        key = bearer(scope)
        if key is None:
            return await self.with_session(scope, receive, send)
        token = await _used(key)
        if token is None:
            return await send({"type": "websocket.close"})
        mine = {"user": token.user, "token": token, "session": None, "cookies": {}}
        return await self.application(scope | mine, receive, send)


def lasts(token: ApiToken) -> bool:
    """Whether the token still opens something."""
    return ApiToken.objects.still_valid([token.digest]) == {token.digest}


def _use(key: str) -> ApiToken | None:
    token = ApiToken.objects.of_key(key)
    if token is not None:
        token.note_use()
    return token


_used = database_sync_to_async(_use, thread_sensitive=False)
