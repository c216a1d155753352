"""What sockets have in common: the language of the page, quiet once closed, a limit on how fast frames may come."""

import time
from typing import Any

from autobahn.exception import Disconnected
from channels.consumer import get_handler_name
from channels.generic.websocket import AsyncWebsocketConsumer
from django.http import HttpRequest
from django.utils.translation import get_language_from_request

from rooms.live.metrics import SOCKETS
from rooms.media.rate_limit import RateLimit

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
    """ASGI middleware under the one for cookies: `scope["language"]` is that of the page, chosen in the same way."""

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        handshake = HttpRequest()
        handshake.COOKIES = scope["cookies"]
        handshake.META["HTTP_ACCEPT_LANGUAGE"] = dict(scope["headers"]).get(b"accept-language", b"").decode("latin-1")
        await self.application(scope | {"language": get_language_from_request(handshake)}, receive, send)


class Door(AsyncWebsocketConsumer):
    """A socket that keeps quiet once it is closed, from either side, while others still send to it."""

    shut = False

    async def dispatch(self, message: dict[str, Any]) -> None:
        """As Channels does it, but for the thread in which it would look after connections to the database before each
        frame: whoever uses one does so himself (`rooms.loops.database`), and frames come by thousands."""
        await getattr(self, get_handler_name(message))(message)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Channels calls `disconnect` where the browser goes; a fault, or the end of the process, must not skip it."""
        with SOCKETS.labels(type(self).__name__).track_inprogress():
            try:
                await super().__call__(scope, receive, send)
            except BaseException:
                await self.disconnect(1011)
                raise

    async def send(self, text_data: str | None = None, bytes_data: bytes | None = None, close: bool = False) -> None:
        if self.shut:
            return
        try:
            await super().send(text_data, bytes_data, close)
        except Disconnected:  # the browser is gone and daphne has not told us yet
            self.shut = True

    async def close(self, code: int | bool | None = None, reason: str | None = None) -> None:
        if not self.shut:
            self.shut = True
            await super().close(code, reason)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Frames that were on their way when the door closed are not read any more."""
        if not self.shut:
            await self.read(text_data)

    async def read(self, frame: str | None) -> None:
        """One frame of the page; None for a binary one."""
