"""From a page's offer to the media node's answer: check that the person may be here, place, grant, call."""

import asyncio
import atexit
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import msgspec
import structlog
from django.conf import settings

from rooms import events, protocol
from rooms.loops import PerLoop, database
from rooms.media.contract import grant, heartbeat
from rooms.media.contract.joining import Join, Joined
from rooms.models import Participant, Space
from rooms.nodes import http, placement
from rooms.nodes.refusals import SoundReason, SoundRefused, check
from rooms.store import queue

SECONDS = 2.5  # for one offer: after the death of a node everyone is to have sound again within ten seconds
AT_ONCE = 16  # offers under way per web process and node: a storm of joins waits here and not in the node

log = structlog.get_logger(__name__)


class _Calls:
    """What one event loop needs to call nodes: a session, and a limit of calls to each node."""

    def __init__(self) -> None:
        self.session = http.client(SECONDS)
        self.slots: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(AT_ONCE))


_calls = PerLoop(_Calls)


@dataclass(frozen=True)
class Place:
    """Where a person gets their sound. `preferred`: before newcomers. `is_free`: they may ask the node now.

    `has_moved`: the Space was placed on this node just now, and sounded on another one before.
    """

    space: str
    node: placement.Node
    preferred: bool
    is_free: bool = True
    has_moved: bool = False


async def answer(participant: UUID, sdp: str, *, restart: bool = False, boot: str = "") -> tuple[str, str]:
    """The SDP answer to this person's offer, and the boot that gave it.

    `restart`: the offer is for the connection that they have at `boot`, with new ICE credentials. If all nodes are
    full, the person joins the queue (`rooms/store/queue.py`) and is sent their place. Raises SoundRefused, and Refused
    if the person is not in the Space.
    """
    try:
        return await (_restarted(participant, sdp, boot) if restart else _answer(participant, sdp))
    except SoundRefused as refused:
        if refused.reason == SoundReason.FULL:
            place = await _join_queue(participant)
            await events.hint_to(participant, protocol.Waiting(place=place))
        raise


async def _answer(participant: UUID, sdp: str) -> tuple[str, str]:
    async with _slot(lambda: _find_place(participant)) as place:
        check(None if place.is_free else SoundReason.FULL)
        reply = await _offer_known(place, participant, sdp)
    await database(queue.got_sound)(place.space, participant)
    return reply, place.node.boot


async def _restarted(participant: UUID, sdp: str, boot: str) -> tuple[str, str]:
    """As `_answer`, for a connection that has its place already."""
    async with _slot(lambda: _place_at(participant, boot)) as place:
        return await _offer(place, participant, sdp, restart=True), place.node.boot


@asynccontextmanager
async def _slot(find: Callable[[], Awaitable[Place]]) -> AsyncIterator[Place]:
    """Where a person gets their sound, with one of the slots of that node.

    After a wait for the slot it looks again: the node may have died meanwhile, and the Space may be on another one.
    """
    place = await find()
    while True:
        since = time.monotonic()
        async with _calls.get().slots[place.node.url]:
            before, has_waited = place.node.url, time.monotonic() - since > heartbeat.SECONDS
            place = await find() if has_waited else place
            if place.node.url == before:
                yield place
                return


async def _offer_known(place: Place, participant: UUID, sdp: str) -> str:
    """The answer to a new offer. The standing is written again for a node that does not know the Space."""
    try:
        return await _offer(place, participant, sdp)
    except SoundRefused as refused:
        if refused.reason != SoundReason.NO_SPACE:
            raise
    await _write_standing(place.space)
    return await _offer(place, participant, sdp)


async def _offer(place: Place, participant: UUID, sdp: str, restart: bool = False) -> str:
    permit = grant.mint(settings.MEDIA_SECRET, place.space, str(participant), time.time(), back=place.preferred)
    return await _ask(f"{place.node.url}/spaces/{place.space}/peers", Join(permit, sdp, restart))


async def placed(participant: UUID) -> tuple[str, placement.Node]:
    """The Space of a person who is in it now, and its node, whether it has a free place or not.

    Raises SoundRefused, Refused.
    """
    place = await _find_place(participant)
    return place.space, place.node


async def _find_place(participant: UUID) -> Place:
    """Where a person gets their sound. If it has moved, all other pages get a hint to come along.

    Without the hint the Space would sound in two halves.
    """
    place = await _read_place(participant)
    if place.has_moved:
        await events.hint(place.space, protocol.SoundMoved(boot=place.node.boot))
    return place


async def _place_at(participant: UUID, boot: str) -> Place:
    """Where a connection is, as long as that node lives: while a Space moves, its row names the next node already."""
    return await _connected(participant, boot) or await _find_place(participant)


async def _ask(url: str, join: Join) -> str:
    try:
        answer = await http.ask(_calls.get().session, "POST", url, msgspec.to_builtins(join))
        if answer.refusal is None:
            return http.read(answer.body, Joined).sdp
    except http.NoAnswer as error:
        log.warning("node_unreachable", url=url, error=str(error))
        raise SoundRefused(SoundReason.NO_NODE) from None
    reason = SoundReason.of_node(answer.refusal.error)
    if reason == SoundReason.NODE_FAULT:
        log.error("node_fault", url=url, status=answer.status, why=answer.refusal.detail)
    raise SoundRefused(reason)


@database
def _connected(participant: UUID, boot: str) -> Place | None:
    person, node = Participant.objects.hearing(participant), placement.by_boot(boot)
    return Place(str(person.space_id), node, preferred=True) if node else None


@database
def _read_place(participant: UUID) -> Place:
    """Where a person gets their sound, and whether they may ask for it now: all in one step.

    A node that is full, or for which others queue, is not asked. The standing is written before the node is asked.
    """
    person = Participant.objects.hearing(participant)
    space, before = person.space, person.space.node
    preferred = person.on_stage or queue.had_sound(space.pk, participant, since=person.entered_at)
    node = placement.place(space, preferred)
    return Place(
        str(space.pk),
        node,
        preferred,
        is_free=preferred or bool(node.free_places and queue.may_enter(space.pk, participant)),
        has_moved=before not in ("", node.name),  # after a restart of the same node no one hears the boot before
    )


@database
def _write_standing(space: str) -> None:
    Space.objects.get(pk=UUID(space)).write_standing()


@database
def _join_queue(participant: UUID) -> int:
    return queue.join(Participant.objects.hearing(participant).space_id, participant)


@atexit.register
def _close_all() -> None:
    """Close the sessions of loops that were stopped but not closed, as daphne's loop is when a web process ends."""
    for loop, calls in _calls.items():
        if not loop.is_running() and not loop.is_closed():
            loop.run_until_complete(calls.session.close())


async def close() -> None:
    """Close this event loop's connections to the nodes, before the loop itself is closed."""
    calls = _calls.pop()
    if calls is not None:
        await calls.session.close()
