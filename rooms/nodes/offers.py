"""From a page's offer to the media node's answer: ask again whether the person may be here, place, grant, call."""

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
from django.utils.translation import gettext_lazy as _

from rooms import events, protocol
from rooms.loops import PerLoop, database
from rooms.media.contract import grant, heartbeat
from rooms.media.contract.joining import Join, Joined
from rooms.models import Participant, Space
from rooms.nodes import http, placement
from rooms.refusals import check
from rooms.rules import Reason
from rooms.store import queue

SECONDS = 2.5  # for an offer: of a node that went dark everybody is to be back within ten seconds
AT_ONCE = 16  # offers under way per web process and node: a storm of joins waits here, not in the node

TEXTS = {
    "no_node": _("The sound server is starting. We try again by ourselves."),
    "full": _("This Space is full at the moment. You wait in line, and the sound starts by itself."),
    "refused": _("You may not listen to this Space."),
    "bad_sdp": _("Your browser offered sound that we do not understand."),
    "no_space": _("The sound of this Space is being set up. We try again by ourselves."),
    "relay_too_often": _("You asked for the way through closed networks too often. Wait a minute, then try again."),
    "no_peer": _("Your sound could not be kept. We fetch it anew by ourselves."),
}

log = structlog.get_logger(__name__)


class SoundRefused(Exception):
    """No sound: `code` is one of TEXTS."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code if code in TEXTS else "no_node"

    @property
    def text(self) -> str:
        return str(TEXTS[self.code])


class _Calls:
    """What one event loop needs to call nodes: a session, and a limit of calls to each node."""

    def __init__(self) -> None:
        self.session = http.client(SECONDS)
        self.slots: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(AT_ONCE))


_calls = PerLoop(_Calls)


@dataclass(frozen=True)
class Place:
    """Where somebody gets his sound. `preferred`: before newcomers; `has_moved`: the Space has just come there."""

    space: str
    node: placement.Node
    preferred: bool
    has_moved: bool


async def answer(participant: UUID, sdp: str, *, restart: bool = False, boot: str = "") -> tuple[str, str]:
    """The SDP answer for this person's offer, and which start of a node gave it.

    `restart`: it is for the connection that there is, at the start `boot` of a node, with new ICE credentials. Whoever
    finds everything full waits in the queue (`rooms/store/queue.py`) and is told their place. Raises SoundRefused,
    or Refused for whoever is not in the Space."""
    try:
        return await (_restarted(participant, sdp, boot) if restart else _answer(participant, sdp))
    except SoundRefused as refused:
        if refused.code == placement.AllFull.code:
            place = await _stand_in_line(participant)
            await events.hint_to(participant, protocol.Waiting(place=place))
        raise


async def _answer(participant: UUID, sdp: str) -> tuple[str, str]:
    async with _slot(lambda: _come_along(participant)) as place:
        if not await _has_room(place, participant):
            raise SoundRefused(placement.AllFull.code)
        reply = await _offer_known(place, participant, sdp)
    await database(queue.got_sound)(place.space, participant)
    return reply, place.node.boot


async def _restarted(participant: UUID, sdp: str, boot: str) -> tuple[str, str]:
    """As `answer`, for a connection that has its room already."""
    async with _slot(lambda: _where_it_is(participant, boot)) as place:
        return await _offer(place, participant, sdp, restart=True), place.node.boot


@asynccontextmanager
async def _slot(where: Callable[[], Awaitable[Place]]) -> AsyncIterator[Place]:
    """Where somebody gets his sound, with one of the slots of that node.

    Whoever waited for it looks again: the node may have died meanwhile, and the Space be placed on another one."""
    place = await where()
    while True:
        since = time.monotonic()
        async with _calls.get().slots[place.node.url]:
            before, has_waited = place.node.url, time.monotonic() - since > heartbeat.SECONDS
            place = await where() if has_waited else place
            if place.node.url == before:
                yield place
                return


async def _offer_known(place: Place, participant: UUID, sdp: str) -> str:
    """The answer to a new offer. A node that does not know that the Space is placed there is told once more."""
    try:
        return await _offer(place, participant, sdp)
    except SoundRefused as refused:
        if refused.code != "no_space":
            raise
    await _write_standing(place.space)
    return await _offer(place, participant, sdp)


async def _offer(place: Place, participant: UUID, sdp: str, *, restart: bool = False) -> str:
    permit = grant.mint(settings.MEDIA_SECRET, place.space, str(participant), time.time(), back=place.preferred)
    return await _ask(f"{place.node.url}/spaces/{place.space}/peers", Join(permit, sdp, restart))


async def placed(participant: UUID) -> tuple[str, placement.Node]:
    """The Space of somebody who is in it now, and its node, whether that has room for him or not.

    Raises SoundRefused, Refused."""
    place = await _come_along(participant)
    return place.space, place.node


async def _come_along(participant: UUID) -> Place:
    """Whoever still hears the node before comes along, or the Space would sound in two halves."""
    place = await _placed(participant)
    if place.has_moved:
        await events.hint(place.space, protocol.SoundMoved(boot=place.node.boot))
    return place


async def _where_it_is(participant: UUID, boot: str) -> Place:
    """Where a connection is, as long as that node lives: while a Space moves, its row names the next one already."""
    return await _connected(participant, boot) or await _come_along(participant)


@database
def _connected(participant: UUID, boot: str) -> Place | None:
    person, node = hearer(participant), placement.by_boot(boot)
    return Place(str(person.space_id), node, preferred=True, has_moved=False) if node else None


@database
def _has_room(place: Place, participant: UUID) -> bool:
    """Whether he may ask the node; one that is full, or before which others wait, is spared the question."""
    return place.preferred or bool(place.node.free_places and queue.may_enter(place.space, participant))


async def _ask(url: str, join: Join) -> str:
    try:
        answer = await http.ask(_calls.get().session, "POST", url, msgspec.to_builtins(join))
    except http.NoAnswer as error:
        log.warning("node_unreachable", url=url, error=str(error))
        raise SoundRefused("no_node") from None
    if not answer.ok:
        raise SoundRefused(answer.body.get("error", "no_node"))
    return msgspec.convert(answer.body, Joined).sdp


@database
def _placed(participant: UUID) -> Place:
    """Where somebody who is in the Space gets his sound. The standing is there before the node is asked."""
    person = hearer(participant)
    space = person.space
    preferred = person.on_stage or queue.had_sound(space.pk, person.pk, since=person.entered_at)
    before = space.node
    try:
        node = placement.place(space, preferred)
    except placement.NoNode as error:
        raise SoundRefused(error.code) from None
    has_moved = before not in ("", node.name)  # where it was started again, nobody hears the one before
    return Place(str(space.pk), node, preferred, has_moved)


@database
def _write_standing(space: str) -> None:
    Space.objects.get(pk=UUID(space)).write_standing()


@database
def _stand_in_line(participant: UUID) -> int:
    return queue.join(hearer(participant).space_id, participant)


def hearer(participant: UUID) -> Participant:
    """Somebody who is in a live Space now. Raises Refused for whoever is not, or not any more."""
    person = Participant.objects.present().select_related("space").filter(pk=participant).first()
    if person is None or person.space.state != person.space.State.LIVE:
        check(Reason.NOT_IN_THE_SPACE)
    assert person is not None
    return person


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
