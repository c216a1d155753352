"""What a web process does for the fleet lines of its pages: one subscription, and one query for each change.

However many pages are open, a change of some stage is asked about once: who of those here follows these people?
"""

import asyncio
import weakref
from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from uuid import UUID

import structlog
from channels.layers import get_channel_layer

from accounts.models import Follow
from rooms import events
from rooms.loops import database

Line = Callable[[], Awaitable[None]]  # tells one page that its line is out of date

log = structlog.get_logger(__name__)


class Lookout:
    """The fleet lines of the pages of one event loop, by person."""

    def __init__(self) -> None:
        self.lines: dict[UUID, set[Line]] = {}
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
                    await self._tell(message)
                except Exception:  # a blip of the database must not end the lookout
                    log.exception("fleet_not_told")
        finally:
            await self.layer.group_discard(events.FLEET, channel)

    async def _tell(self, message: dict[str, Any]) -> None:
        on_stage, own = set(map(UUID, message["users"])), set(map(UUID, message["own"]))
        concerned = on_stage | own
        if on_stage:
            concerned |= await followers_among(list(self.lines), on_stage)
        for person in concerned & self.lines.keys():
            for line in tuple(self.lines.get(person, ())):
                try:
                    await line()
                except Exception:  # of one page that is going; the others are still to be told
                    log.exception("fleet_line_not_told", person=str(person))

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


_lookouts: "weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Lookout]" = weakref.WeakKeyDictionary()


async def join(person: UUID, line: Line) -> None:
    """Call `line` whenever the line of `person` may have changed, until `leave`.

    Nothing is missed from the moment in which this returns."""
    loop = asyncio.get_running_loop()
    if loop not in _lookouts:
        _lookouts[loop] = Lookout()
    lookout = _lookouts[loop]
    lookout.lines.setdefault(person, set()).add(line)
    await asyncio.shield(lookout.opened)


async def leave(person: UUID, line: Line) -> None:
    """Undo `join`; nothing happens where there was none."""
    loop = asyncio.get_running_loop()
    lookout = _lookouts.get(loop)
    if lookout is None or person not in lookout.lines:
        return
    lookout.lines[person].discard(line)
    if not lookout.lines[person]:
        del lookout.lines[person]
    if not lookout.lines:
        del _lookouts[loop]
        await lookout.close()
