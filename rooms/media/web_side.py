"""What a node tells the world outside, and the queue between the tick, which must not wait, and those who listen."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from rooms.media.capture.tap import Chunk
from rooms.media.network.quality import State

log = logging.getLogger(__name__)

MAX_WAITING = 5000  # notices; older ones are dropped, since all of them are hints


class Outside(Protocol):
    """What whoever runs a node gives to it. All of it are hints, but for the chunks."""

    async def levels(self, space: str, levels: Mapping[str, int]) -> None:
        """How loud each voice is, by participant, 0 to 100. Five times a second while somebody is audible."""

    async def acknowledged(self, space: str, version: int) -> None:
        """The standing of this version is in effect."""

    async def peer(self, space: str, participant: str, state: str) -> None:
        """A participant's sound is "connected" or "gone"."""

    async def connection(self, space: str, participant: str, state: State) -> None:
        """How a participant's connection is, for him alone. Where it changes, and again while it is not good."""

    def ship(self, chunk: Chunk) -> None:
        """Bring a closed chunk to the storage. Called in a thread; again after an exception, so safe to repeat."""


class Messenger:
    """Takes notices without waiting and delivers them one after the other."""

    def __init__(self) -> None:
        self._notices: deque[Callable[[], Awaitable[None]]] = deque(maxlen=MAX_WAITING)
        self._wake = asyncio.Event()

    def post(self, notice: Callable[[], Awaitable[None]]) -> None:
        """Queue the call of a method of Outside."""
        self._notices.append(notice)
        self._wake.set()

    async def run(self) -> None:
        """Deliver until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self.deliver()

    async def deliver(self) -> None:
        """Deliver what waits now."""
        while self._notices:
            try:
                await self._notices.popleft()()
            except Exception as error:  # the world outside may fail in any way; the sound goes on
                log.warning("a hint was not delivered: %s", error)
