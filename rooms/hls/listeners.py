"""Listeners who hear a Space as files (HLS): who may, asked again every few seconds, and a fresh signature for those.

The page asks once (`hear`); from then on this process looks by itself, once for all listeners that it has in a Space,
and tells each that may still hear. Whoever may not gets no further signature, and the one he has ends by itself.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from uuid import UUID

import structlog
from django.conf import settings

from rooms import protocol
from rooms.loops import PerLoop, database
from rooms.media.contract.standing import FILES
from rooms.media.hls import signature
from rooms.models import Participant, Space
from rooms.nodes import offers, placement
from rooms.nodes.refusals import SoundRefused
from rooms.store import queue
from rooms.store.client import async_redis_client

DEMAND_SECONDS = 2.0  # between two words to the node that somebody hears; it believes each for a while
RENEW_BEATS = 4  # of these, until the next signature: it comes while the one before is valid for 7 seconds more
MOST_WITHOUT = 2  # renewals in a row at which the Space's node wrote no files; a writer that begins anew misses one
AT_ONCE = 20  # listeners who are told before others get their turn on the event loop

Tell = Callable[[str], Awaitable[None]]
log = structlog.get_logger(__name__)


class Audience:
    """Those who hear the files of one Space over this process."""

    def __init__(self, space_id: UUID) -> None:
        self.space_id = space_id
        self.tells: dict[UUID, Tell] = {}
        self._without = 0
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        waited = 0
        while self.tells:
            await asyncio.sleep(DEMAND_SECONDS)
            waited += 1
            await self._done("demand", demand(self.space_id))
            if waited >= RENEW_BEATS and await self._done("renew", self.renew()):
                waited = 0

    async def _done(self, what: str, doing: Awaitable[None]) -> bool:
        """Whether it went well. A blip of Redis or the database ends neither the sound nor what needs the other."""
        try:
            await doing
        except Exception:
            log.exception("hls_failed", what=what, space=str(self.space_id))
            return False
        return True

    async def renew(self) -> None:
        """Ask the rules for everybody, and send a signature to those who may hear; that there are no files any more
        where the Space went to a node that writes none."""
        entitled = await _entitled(self.space_id, list(self.tells))
        self._without = 0 if await _written(self.space_id) else self._without + 1
        gone = self._without >= MOST_WITHOUT
        frame = protocol.encode(protocol.Files(hls=False) if gone else files(self.space_id))
        for number, (participant, tell) in enumerate(list(self.tells.items())):
            if participant in entitled:
                await self._done("tell", tell(frame))
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)

    def stop(self) -> None:
        self._task.cancel()


_audiences: PerLoop[dict[UUID, Audience]] = PerLoop(dict)


async def hear(participant: UUID, command: protocol.Hear, tell: Tell) -> protocol.Event:
    """Begin or end to hear a Space as files; `tell` gets the frames that follow. Raises Refused."""
    if not command.files:
        leave(participant, tell)
        return protocol.Ok(re=command.id)
    space_id = await _offered(participant)
    if space_id is None:
        return protocol.Files(hls=False, re=command.id)
    if command.chosen:
        await database(queue.leave)(space_id, participant)
    audiences = _audiences.get()
    is_first = space_id not in audiences
    if is_first:
        audiences[space_id] = Audience(space_id)
    audiences[space_id].tells[participant] = tell
    if is_first:
        await demand(space_id)  # for all others it is asked again and again
    return files(space_id, command.id)


def leave(participant: UUID, tell: Tell) -> None:
    """Undo `hear`, as far as it was this connection that heard. Does nothing if there was none."""
    audiences = _audiences.get()
    for space_id, audience in list(audiences.items()):
        if audience.tells.get(participant) == tell:
            del audience.tells[participant]
            if not audience.tells:
                audiences.pop(space_id).stop()


def files(space_id: UUID, re: int | None = None) -> protocol.Files:
    """Where the files of a Space are, signed."""
    folder = signature.folder(settings.HLS_SECRET, str(space_id))
    signed = signature.sign(settings.HLS_SECRET, folder, time.time())
    return protocol.Files(hls=True, folder=folder, signed=signed, seconds=signature.SECONDS, re=re)


async def demand(space_id: UUID) -> None:
    """Have the node of a Space write its files for a while."""
    boot = await _boot(space_id)
    if boot:
        await async_redis_client().publish(FILES, f"{space_id} {boot}")


@database
def _boot(space_id: UUID) -> str:
    return Space.objects.live().filter(pk=space_id).values_list("boot", flat=True).first() or ""


@database
def _written(space_id: UUID) -> bool:
    """Whether the node of this Space writes files, or may do so soon: one that died is followed by another one."""
    space = Space.objects.get(pk=space_id)
    node = placement.node_of(space, placement.nodes())
    return node is None or node.hls


async def _offered(participant: UUID) -> UUID | None:
    """The Space of somebody who may hear it now, None where no node writes its files now."""
    try:
        space, node = await offers.placed(participant)
    except SoundRefused:
        return None
    return UUID(space) if settings.HLS and node.hls else None


@database
def _entitled(space_id: UUID, people: list[UUID]) -> set[UUID]:
    """Who of these is in a live Space now, with the right to be there."""
    here = Participant.objects.present().filter(pk__in=people, space=space_id, space__state=Space.State.LIVE)
    return set(here.values_list("pk", flat=True)) - set(here.astray().values_list("pk", flat=True))
