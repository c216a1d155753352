"""What all bots of a demonstration share: the site's address, the clock of their sound, and who is in which Space."""

import asyncio
import random
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import aiohttp

from rooms.media.client.peer import Crowd
from rooms.protocol.commands import REACTIONS
from spaces_project.demo.bots.bot import Bot

REACT_SECONDS = (15.0, 45.0)  # between two reactions of a listener
COME_SECONDS = (0.5, 6.0)  # before a listener enters


class House:
    """Lets bots into Spaces. A guest who acts in several Spaces is in one of them at a time."""

    def __init__(self, url: str, crowd: Crowd, session: aiohttp.ClientSession) -> None:
        self.url, self.crowd, self.session = url, crowd, session
        self.guest_is_free = asyncio.Lock()  # mira asks questions everywhere

    def bot(self, handle: str, space: str) -> Bot:
        """A bot for this member in this Space; it enters as an async context."""
        return Bot(self.url, self.crowd, self.session, handle, space)

    def listening(self, handles: Sequence[str], space: str) -> AbstractAsyncContextManager[None]:
        """Let these members listen and react until the context ends."""
        return beside(*(self._listen(handle, space) for handle in handles))

    async def _listen(self, handle: str, space: str) -> None:
        await asyncio.sleep(random.uniform(*COME_SECONDS))  # noqa: S311
        async with self.bot(handle, space) as bot:
            while not bot.out.is_set():
                await bot.stay(random.uniform(*REACT_SECONDS))  # noqa: S311
                await bot.attempt("react", emoji=random.choice(REACTIONS))  # noqa: S311


@asynccontextmanager
async def beside(*works: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Do these beside the body of the context, and stop them at its end. A fault in one of them ends the body, too."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(work) for work in works]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
