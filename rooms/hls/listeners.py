"""Listeners who hear a Space as files (HLS): each gets a fresh signature again and again, as long as they may hear.

A page asks once (`hear`). From then on this process checks the right of all its listeners in a Space every few seconds.
A listener who may no longer hear gets no further signature, and the last one runs out.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from uuid import UUID

import structlog
from django.conf import settings

from rooms import protocol
from rooms.loops import PerLoop, database
from rooms.media.contract.standing import FILES, Note
from rooms.media.hls import signature
from rooms.models import Participant, Space
from rooms.nodes import offers, placement
from rooms.nodes.refusals import SoundRefused
from rooms.store import queue
from rooms.store.client import async_redis_client

DEMAND_SECONDS = 2.0  # between two requests for files; the node writes for a while after each
RENEW_AFTER = 4  # requests between two signatures: a new one comes while the last is valid for 7 seconds more
MOST_WITHOUT = 2  # renewals in a row at which the Space's node wrote no files; a writer that starts over misses one
AT_ONCE = 20  # listeners who are sent a signature before other tasks of the event loop get their turn

Send = Callable[[str], Awaitable[None]]
log = structlog.get_logger(__name__)


class Audience:
    """The listeners of one Space who hear files and are connected to this process."""

    def __init__(self, space_id: UUID) -> None:
        self.space_id = space_id
        self.sends: dict[UUID, Send] = {}
        self._without = 0
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        waited = 0
        while self.sends:
            await asyncio.sleep(DEMAND_SECONDS)
            waited += 1
            await self._try("demand", demand(self.space_id))
            if waited >= RENEW_AFTER and await self._try("renew", self.renew()):
                waited = 0

    async def _try(self, what: str, doing: Awaitable[None]) -> bool:
        """Await it, and return whether it succeeded. After a short failure of Redis or PostgreSQL the rest goes on."""
        try:
            await doing
        except Exception:
            log.exception("hls_failed", what=what, space=str(self.space_id))
            return False
        return True

    async def renew(self) -> None:
        """Send a signature to everyone who may still hear.

        If the Space has gone to a node that writes no files, send that there are none.
        """
        entitled = await _entitled(self.space_id, list(self.sends))
        self._without = 0 if await _is_written(self.space_id) else self._without + 1
        gone = self._without >= MOST_WITHOUT
        frame = protocol.encode(protocol.Files(hls=False) if gone else files(self.space_id))
        for number, (participant, send) in enumerate(list(self.sends.items())):
            if participant in entitled:
                await self._try("send", send(frame))
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)

    def stop(self) -> None:
        self._task.cancel()


_audiences: PerLoop[dict[UUID, Audience]] = PerLoop(dict)


async def hear(participant: UUID, command: protocol.Hear, send: Send) -> protocol.Event:
    """Start or stop hearing a Space as files. `send` gets the frames that follow the answer. Raises Refused."""
    if not command.files:
        leave(participant, send)
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
    audiences[space_id].sends[participant] = send
    if is_first:
        await demand(space_id)  # for later listeners the files are requested already
    return files(space_id, command.id)


def leave(participant: UUID, send: Send) -> None:
    """Undo `hear`, if it was called with this `send`. Does nothing otherwise."""
    audiences = _audiences.get()
    for space_id, audience in list(audiences.items()):
        if audience.sends.get(participant) == send:
            del audience.sends[participant]
            if not audience.sends:
                audiences.pop(space_id).stop()


def files(space_id: UUID, re: int | None = None) -> protocol.Files:
    """Where the files of a Space are, with a fresh signature."""
    folder = signature.folder(settings.HLS_SECRET, str(space_id))
    signed = signature.sign(settings.HLS_SECRET, folder, time.time())
    return protocol.Files(hls=True, folder=folder, signed=signed, seconds=signature.SECONDS, re=re)


async def demand(space_id: UUID) -> None:
    """Let the node of a Space write its files for a while."""
    boot = await _boot(space_id)
    if boot:
        await async_redis_client().publish(FILES, str(Note(str(space_id), boot)))


@database
def _boot(space_id: UUID) -> str:
    return Space.objects.live().filter(pk=space_id).values_list("boot", flat=True).first() or ""


@database
def _is_written(space_id: UUID) -> bool:
    """Whether the node of this Space writes files. True without a node, since another one will follow."""
    space = Space.objects.get(pk=space_id)
    node = placement.node_of(space, placement.nodes())
    return node is None or node.hls


async def _offered(participant: UUID) -> UUID | None:
    """The Space of a person who may hear it now. None if no node writes its files now."""
    try:
        space, node = await offers.placed(participant)
    except SoundRefused:
        return None
    return UUID(space) if settings.HLS and node.hls else None


@database
def _entitled(space_id: UUID, people: list[UUID]) -> set[UUID]:
    """Those of these people who are in the live Space now and have the right to be there."""
    here = Participant.objects.present().filter(pk__in=people, space=space_id, space__state=Space.State.LIVE)
    return set(here.values_list("pk", flat=True)) - set(here.astray().values_list("pk", flat=True))
