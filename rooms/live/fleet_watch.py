"""What a web process does for the fleet lines of its pages: one subscription, and one query for each change.

However many pages are open, a change on a stage costs one question: which people here follow these people?
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Protocol
from uuid import UUID

import structlog
from channels.layers import get_channel_layer

from accounts.models import Follow
from rooms import events
from rooms.loops import PerLoop, database

log = structlog.get_logger(__name__)


class Page(Protocol):
    """A page that shows a fleet line."""

    async def hint(self) -> None: ...
    async def member_sessions_ended(self, message: dict[str, Any]) -> None: ...


class FleetWatch:
    """The pages of one event loop that show a fleet line, by person."""

    def __init__(self) -> None:
        self.pages: dict[UUID, set[Page]] = {}
        self.layer = get_channel_layer()
        self.opened = asyncio.get_running_loop().create_task(self._open())
        self._listening: asyncio.Task[None] | None = None

    async def _open(self) -> None:
        channel = await self.layer.new_channel()
        await self.layer.group_add(events.FLEET, channel)
        self._listening = asyncio.get_running_loop().create_task(self._listen(channel))

    async def _listen(self, channel: str) -> None:
        try:
            while True:
                message = await self.layer.receive(channel)
                try:
                    await self._pass_on(message)
                except Exception:  # a short failure of the database must not end the subscription
                    log.exception("fleet_not_notified")
        finally:
            await self.layer.group_discard(events.FLEET, channel)

    async def _pass_on(self, message: dict[str, Any]) -> None:
        if message["type"] == "fleet.sessions_ended":
            return await self._call({UUID(message["user"])}, lambda page: page.member_sessions_ended(message))
        on_stage, own = set(map(UUID, message["users"])), set(map(UUID, message["own"]))
        concerned = on_stage | own
        if on_stage:
            concerned |= await followers_among(list(self.pages), on_stage)
        return await self._call(concerned, lambda page: page.hint())

    async def _call(self, people: set[UUID], call: Callable[[Page], Coroutine[Any, Any, None]]) -> None:
        for person in people & self.pages.keys():
            for page in tuple(self.pages.get(person, ())):
                try:
                    await call(page)
                except Exception:  # this page is closing; the others still have to be notified
                    log.exception("fleet_page_not_notified", person=str(person))

    async def close(self) -> None:
        self.opened.cancel()
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)


@database
def followers_among(people: list[UUID], followed: Iterable[UUID]) -> set[UUID]:
    """Those of `people` who follow one of `followed`."""
    follows = Follow.objects.filter(followee__in=followed, follower__in=people, state=Follow.State.ACCEPTED)
    return set(follows.values_list("follower", flat=True))


_watches = PerLoop(FleetWatch)


async def join(person: UUID, page: Page) -> None:
    """Tell `page` when the fleet line of `person` may have changed or sessions of theirs end, until `leave`.

    Every change after this returns is noticed.
    """
    watch = _watches.get()
    watch.pages.setdefault(person, set()).add(page)
    await asyncio.shield(watch.opened)


async def leave(person: UUID, page: Page) -> None:
    """Undo `join`. Does nothing if there was none."""
    watch = _watches.peek()
    if watch is None or person not in watch.pages:
        return
    watch.pages[person].discard(page)
    if not watch.pages[person]:
        del watch.pages[person]
    if not watch.pages:
        _watches.pop()
        await watch.close()
