"""A page in a Space, as far as its socket goes, for tests that say what it sends and what it gets."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.test import Client

from accounts.models import User
from rooms.models import Space
from rooms.nodes import offers
from rooms.store.client import close_async_redis_client
from spaces_project.asgi import application

ORIGIN = (b"origin", b"http://localhost")
HOST = (b"host", b"localhost")
WAIT_SECONDS = 20


@pytest.fixture(autouse=True)
async def _close_what_belongs_to_the_loop() -> AsyncIterator[None]:
    yield
    await close_async_redis_client()
    await offers.close()


class Socket(WebsocketCommunicator):
    """A socket whose threads give their connection to the database back, as they do outside of tests.

    For tests inside one transaction Channels would keep them from it, and the connection would end with its thread.
    """

    send_input = ApplicationCommunicator.send_input
    receive_output = ApplicationCommunicator.receive_output


class Page:
    """A page in a Space, as far as the socket goes."""

    def __init__(self, space: Space, user: User | None, headers: list[tuple[bytes, bytes]] | None = None) -> None:
        cookies = []
        if user is not None:
            client = Client()
            client.force_login(user)
            cookies = [(b"cookie", f"{settings.SESSION_COOKIE_NAME}={client.session.session_key}".encode())]
        self.socket = Socket(
            application, f"/ws/spaces/{space.pk}/", headers=[HOST, ORIGIN, *cookies] if headers is None else headers
        )

    async def connect(self) -> bool:
        connected, _ = await self.socket.connect(timeout=WAIT_SECONDS)
        return connected

    async def gone(self) -> None:
        """Close the browser's end and wait until the server has done what it does then."""
        await self.socket.disconnect(timeout=WAIT_SECONDS)

    async def send(self, **frame: Any) -> None:
        await self.socket.send_to(text_data=msgspec.json.encode(frame).decode())

    async def until(self, kind: str, **fields: Any) -> dict[str, Any]:
        """The next frame of this type with these fields; others before it are passed over."""
        while True:
            frame = msgspec.json.decode(await self.socket.receive_from(timeout=WAIT_SECONDS))
            if frame["type"] == kind and all(frame[name] == value for name, value in fields.items()):
                return frame

    async def until_any(self, *kinds: str) -> dict[str, Any]:
        """The next frame of one of these types."""
        while True:
            frame: dict[str, Any] = msgspec.json.decode(await self.socket.receive_from(timeout=WAIT_SECONDS))
            if frame["type"] in kinds:
                return frame

    async def until_voice(self, handle: str, mute: str) -> dict[str, Any]:
        """The next `voice` frame of this person with this state of the microphone."""
        while True:
            frame = await self.until("voice")
            if (frame["person"]["handle"], frame["person"]["mute"]) == (handle, mute):
                return frame

    async def closed(self) -> int:
        """The code with which the server closed; frames before it are passed over."""
        while True:
            message = await self.socket.receive_output(timeout=WAIT_SECONDS)
            if message["type"] == "websocket.close":
                return int(message["code"])


@asynccontextmanager
async def pages(space: Space, *users: User) -> AsyncIterator[list[Page]]:
    opened = []
    for user in users:
        page = await sync_to_async(Page)(space, user)
        assert await page.connect()
        await page.until("snapshot")
        opened.append(page)
    yield opened
    for page in opened:
        await page.gone()
