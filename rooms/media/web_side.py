"""The web side as a node knows it, and where the engine's hints, chunks and pieces of the mix go."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from rooms.media.capture.tap import Chunk
from rooms.media.contract.hints import Hint
from rooms.media.hls.feed import Send
from rooms.media.listeners.fanout import FanOut

log = logging.getLogger(__name__)

MAX_WAITING = 5000  # hints; beyond that the oldest are dropped


class WebSide(Protocol):
    """What a node needs of the program that runs it."""

    async def hint(self, hint: Hint) -> None:
        """Pass a hint on. It may raise anything; the hint is lost then."""

    def ship(self, chunk: Chunk) -> None:
        """Bring a closed chunk to the storage. Called in a thread, and again after an exception: safe to repeat."""


class HintSender:
    """Takes hints without waiting and sends them one after the other."""

    def __init__(self, send: Callable[[Hint], Awaitable[None]]) -> None:
        self._send = send
        self._waiting: deque[Hint] = deque(maxlen=MAX_WAITING)
        self._wake = asyncio.Event()

    def post(self, hint: Hint) -> None:
        """Queue a hint and return at once."""
        self._waiting.append(hint)
        self._wake.set()

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self.send_waiting()

    async def send_waiting(self) -> None:
        """Send what waits now."""
        while self._waiting:
            try:
                await self._send(self._waiting.popleft())
            except Exception as error:  # the channel layer may fail in any way; the sound goes on
                log.warning("a hint was not sent: %s", error)


@dataclass(frozen=True)
class Outputs:
    """Where an engine's hints, chunks and pieces of the mix go. Each call returns at once.

    `hint` takes hints for the web side, `submit` closed chunks, `write` pieces of the mix for HLS; without `write`
    there are no files.
    """

    hint: Callable[[Hint], None]
    submit: Callable[[Chunk], None]
    write: Send | None = None


@dataclass(frozen=True)
class Shared:
    """What all Spaces of one node share. `boot` is the id of this start of the node.

    `wall` is how many seconds Unix time is ahead of the engine's clock.
    """

    fanout: FanOut
    outputs: Outputs
    boot: str
    wall: float
