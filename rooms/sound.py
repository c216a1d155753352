"""From a page's offer to the media node's answer: ask again whether the person may be here, place, grant, call."""

import asyncio
import atexit
import time
import weakref
from uuid import UUID

import aiohttp
import structlog
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from rooms import events, placement, standing
from rooms.media import grant
from rooms.models import Participant
from rooms.refusals import check
from rooms.rules import Reason
from rooms.threads import database

TIMEOUT = aiohttp.ClientTimeout(total=2.5)  # of a node that went dark everybody is to be back within ten seconds
AT_ONCE = 16  # offers under way per web process: a storm of joins waits here, not in the node

TEXTS = {
    "no_node": _("The sound server is starting. We try again by ourselves."),
    "full": _("This Space is full at the moment. We try again by ourselves."),
    "refused": _("You may not listen to this Space."),
    "bad_sdp": _("Your browser offered sound that we do not understand."),
    "no_space": _("The sound of this Space is being set up. We try again by ourselves."),
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


class _Faces:
    """What one event loop needs to call nodes."""

    def __init__(self) -> None:
        self.session = aiohttp.ClientSession(
            timeout=TIMEOUT, headers={"Authorization": f"Bearer {settings.MEDIA_SECRET}"}
        )
        self.places = asyncio.Semaphore(AT_ONCE)


_faces: "weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Faces]" = weakref.WeakKeyDictionary()


def _face() -> _Faces:
    loop = asyncio.get_running_loop()
    if loop not in _faces:
        _faces[loop] = _Faces()
    return _faces[loop]


async def answer(participant: UUID, sdp: str) -> tuple[str, str]:
    """The SDP answer for this person's offer, and which start of a node gave it.

    Raises SoundRefused, or Refused for whoever is not in the Space."""
    space, node, moved = await _placed(participant)
    if moved:  # whoever still hears the node before comes along, or the Space would sound in two halves
        await events.hint(space, {"type": "sound_moved", "node": node.boot})
    permit = grant.mint(settings.MEDIA_SECRET, space, str(participant), time.time())
    face = _face()
    async with face.places:
        return await _ask(face, f"{node.url}/spaces/{space}/peers", {"grant": permit, "sdp": sdp}), node.boot


async def _ask(face: _Faces, url: str, body: dict[str, str]) -> str:
    try:
        async with face.session.post(url, json=body) as response:
            reply = await response.json()
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        log.warning("node_unreachable", url=url, error=str(error))
        raise SoundRefused("no_node") from None
    if response.status != 200:
        raise SoundRefused(reply.get("error", "no_node"))
    return str(reply["sdp"])


@database
def _placed(participant: UUID) -> tuple[str, placement.Node, bool]:
    """Space, node, and whether the Space has just come there from another one, for somebody who is in it now.

    The standing is there before the node is asked."""
    person = Participant.objects.present().select_related("space").filter(pk=participant).first()
    if person is None or person.space.state != person.space.State.LIVE:
        check(Reason.NOT_IN_THE_SPACE)
    assert person is not None
    try:
        before = (person.space.node, person.space.node_boot)
        node = placement.place(person.space)
    except placement.NoNode as error:
        raise SoundRefused(error.code) from None
    if before != (node.name, node.boot):
        standing.write(person.space)
    return str(person.space_id), node, before[0] not in ("", node.name)  # started again, nobody hears the one before


@atexit.register
def _close_all() -> None:
    """Close what is left of loops that were stopped and not closed, as daphne's is when a web process ends."""
    for loop, face in list(_faces.items()):
        if not loop.is_running() and not loop.is_closed():
            loop.run_until_complete(face.session.close())


async def close() -> None:
    """Close this event loop's connections to the nodes, before the loop itself is closed."""
    face = _faces.pop(asyncio.get_running_loop(), None)
    if face is not None:
        await face.session.close()
