"""What a web process does for the fleet lines of its pages: one subscription, and one query for each change.

However many pages are open, a change on a stage costs one question: which people here follow these people?
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from uuid import UUID

import structlog
from channels.layers import get_channel_layer

from accounts.models import Follow
from rooms import events
from rooms.loops import PerLoop, database

Notify = Callable[[], Awaitable[None]]  # tells one page that its fleet line is out of date

log = structlog.get_logger(__name__)


class FleetWatch:
    """The pages of one event loop that show a fleet line, by person."""

    def __init__(self) -> None:
        self.pages: dict[UUID, set[Notify]] = {}
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
        on_stage, own = set(map(UUID, message["users"])), set(map(UUID, message["own"]))
        concerned = on_stage | own
        if on_stage:
            concerned |= await followers_among(list(self.pages), on_stage)
        for person in concerned & self.pages.keys():
            for notify in tuple(self.pages.get(person, ())):
                try:
                    await notify()
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


async def join(person: UUID, notify: Notify) -> None:
    """Call `notify` when the fleet line of `person` may have changed, until `leave`.

    Every change after this returns is noticed.
    """
    watch = _watches.get()
    watch.pages.setdefault(person, set()).add(notify)
    await asyncio.shield(watch.opened)


async def leave(person: UUID, notify: Notify) -> None:
    """Undo `join`. Does nothing if there was none."""
    watch = _watches.peek()
    if watch is None or person not in watch.pages:
        return
    watch.pages[person].discard(notify)
    if not watch.pages[person]:
        del watch.pages[person]
    if not watch.pages:
        _watches.pop()
        await watch.close()
