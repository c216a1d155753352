"""What all websockets share: the language of the page, silence after closing, a limit on the rate of frames.

`space_consumer.py` and `fleet_consumer.py` read the frames.
"""

import time
from typing import Any

from autobahn.exception import Disconnected
from channels.consumer import get_handler_name
from channels.generic.websocket import AsyncWebsocketConsumer
from django.http import HttpRequest
from django.utils.translation import get_language_from_request

from accounts.models import Scope
from accounts.sessions import endings
from accounts.sessions.lasting import Opened
from accounts.tokens import sockets
from rooms import events
from rooms.live import session_watch
from rooms.live.metrics import SOCKETS
from rooms.loops import database
from rooms.media.rate_limit import RateLimit
from rooms.protocol import Close

FRAMES_PER_SECOND = 20
BURST = 60
WARNINGS = 40  # frames over the limit that are only answered with a warning


class FrameLimit:
    """How fast one page may send frames: FRAMES_PER_SECOND sustained, BURST at once."""

    def __init__(self) -> None:
        self._limit, self._over = RateLimit(FRAMES_PER_SECOND, BURST), 0

    def take(self) -> int:
        """Count a frame and return how many frames the page is over the limit, 0 while within."""
        if self._limit.allows(time.monotonic()):
            self._over = max(0, self._over - 1)
            return 0
        self._over += 1
        return self._over


class Language:
    """ASGI middleware below that for cookies: sets `scope["language"]` to the language of the page."""

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        handshake = HttpRequest()
        handshake.COOKIES = scope["cookies"]
        handshake.META["HTTP_ACCEPT_LANGUAGE"] = dict(scope["headers"]).get(b"accept-language", b"").decode("latin-1")
        await self.application(scope | {"language": get_language_from_request(handshake)}, receive, send)


class Socket(AsyncWebsocketConsumer):
    """A websocket that sends and reads nothing once either side has closed it. It ends with its session or token."""

    closed = False
    scopes: frozenset[Scope]  # what a token needs to open it
    opened_with: Opened | None = None

    def may_open(self) -> bool:
        """Whether the token has the scopes for this websocket. A session has all."""
        token = self.scope.get("token")
        return token is None or all(token.allows(scope) for scope in self.scopes)

    def watch_session(self) -> None:
        """From now on, end when the session or token of this page expires, or is deleted by hand."""
        user, token = self.scope["user"].pk, self.scope.get("token")
        key = "" if token else self.scope["session"].session_key or ""
        self.opened_with = Opened(user, token.digest if token else endings.digest(key), key)
        session_watch.join(self)

    async def follow_session(self) -> None:
        """From now on, end when the session or token of this page ends."""
        self.watch_session()
        await self.channel_layer.group_add(events.member(self.scope["user"].pk), self.channel_name)

    async def session_lasts(self) -> bool:
        """Whether the session has not ended between the handshake and the moment from which this page follows it."""
        if token := self.scope.get("token"):
            return await token_lasts(token)
        return await session_lasts(self.scope["session"].session_key, self.scope["user"])

    async def leave_session(self) -> None:
        await self.channel_layer.group_discard(events.member(self.scope["user"].pk), self.channel_name)

    async def member_sessions_ended(self, message: dict[str, Any]) -> None:
        """From the channel layer: sessions of this member have ended."""
        digest = self.opened_with.digest if self.opened_with else ""
        if digest == message["kept"]:
            self.opened_with = Opened(self.scope["user"].pk, message["renewed"])
        elif message["only"] in ("", digest):
            await self.log_out()

    async def log_out(self) -> None:
        await self.close(Close.LOG_IN)

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Call the handler of a message.

        Channels would first check database connections in a thread, for each of thousands of frames. Code that uses
        the database does that itself (`rooms.loops.database`).
        """
        await getattr(self, get_handler_name(message))(message)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Call `disconnect` also after a fault or at the end of the process. Channels does so only for the browser."""
        with SOCKETS.labels(type(self).__name__).track_inprogress():
            try:
                await super().__call__(scope, receive, send)
            except BaseException:
                await self.disconnect(1011)
                raise
            finally:
                session_watch.leave(self)

    async def send(self, text_data: str | None = None, bytes_data: bytes | None = None, close: bool = False) -> None:
        if self.closed:
            return
        try:
            await super().send(text_data, bytes_data, close)
        except Disconnected:  # the browser is gone, and daphne has not called `disconnect` yet
            self.closed = True

    async def close(self, code: int | bool | None = None, reason: str | None = None) -> None:
        if not self.closed:
            self.closed = True
            await super().close(int(code) if code else None, reason)  # autobahn takes no IntEnum

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Read a frame, unless it arrives after closing."""
        if not self.closed:
            await self.read(text_data)

    async def read(self, frame: str | None) -> None:
        """Handle one frame of the page; None is a binary frame."""


session_lasts, token_lasts = database(endings.lasts), database(sockets.lasts)
