"""Takes a live Space from one media node to another while everybody goes on hearing everybody.

1. The row says the new node: whoever comes from now on connects there. The stage is told, and each of it makes a second
   connection, and sends to both nodes; both mix.
2. When the new node has all of them, it keeps the sound from a moment on that both nodes know, and everybody is told to
   hear the new one, not all at once. Pages give the old connection up when the new one brings sound.
3. When all listeners are there, the stage gives the old connections up, too, and the old node closes the Space.

Each step has a limit: whoever does not come in time is cut off at the end and fetches his sound as after any other
interruption. Where this process dies between two steps, both nodes go on, and the next attempt begins anew.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aiohttp
import msgspec
from django.db import transaction
from redis import RedisError

from rooms import events
from rooms.loops import database
from rooms.media.contract.held import NOBODY, Held
from rooms.models import Space
from rooms.nodes import http, placement
from rooms.nodes.placement import Node

STAGE_SECONDS = 3.0  # for the stage to be heard on the new node
HAND_OVER_MS = 1000  # until the new node keeps the sound: both know it by then, and the old one has the stage so long
LATEST_MS = 10_000  # where nobody says so, it does it after that
JOINS_PER_SECOND = 80.0  # of those who change: handshakes have to leave time for the sound
LISTENERS_SECONDS = 6.0  # for the last of them
GOODBYE_SECONDS = 1.5  # for the stage to hear that it is over
LOOK_SECONDS = 0.1
PAUSES = (0.5, 0.5, 0.0)  # seconds after each call that a node leaves unanswered: it may be busy for a moment


class NotMoved(Exception):
    """A Space that stays where it is; the text says why."""


@dataclass(frozen=True)
class Moved:
    """How it went. `behind`: peers that were cut off because they did not come."""

    peers: int
    seconds: float
    behind: int


async def move(space: Space, source: Node, target: Node, client: aiohttp.ClientSession) -> Moved:
    """Take a Space from `source` to `target`. Raises NotMoved where the target cannot take it, or the Space is gone."""
    start, old, new = time.monotonic(), f"{source.url}/spaces/{space.pk}", f"{target.url}/spaces/{space.pk}"
    if await http.call(client, "PUT", new) is None:
        raise NotMoved(f"{target.name} does not take it")
    before = await known(client, old, source)
    if not await _switch(space, source, target):
        raise NotMoved("it has ended, or is on another node by now")
    within = round(len(before.here) / JOINS_PER_SECOND, 2)
    await _begin(space, source, target, within)
    stage = before.here & before.voices.keys()
    await _until(lambda: _has_all(client, new, stage), STAGE_SECONDS)
    await _check(client, new, space, source, target)
    await _hand_over(space, target)
    over_at = time.monotonic() + HAND_OVER_MS / 1000
    await _tell(space, target, "all", within)
    await _until(lambda: _is_left_by_listeners(client, old), within + LISTENERS_SECONDS)
    await _check(client, new, space, source, target)
    await asyncio.sleep(max(0.0, over_at - time.monotonic()))
    await _tell(space, target, "over")
    await _until(lambda: _is_left(client, old), GOODBYE_SECONDS)
    behind = await held(client, old) or NOBODY
    await http.call(client, "DELETE", old)
    return Moved(len(before.here), time.monotonic() - start, len(behind.here))


async def _check(client: aiohttp.ClientSession, url: str, space: Space, source: Node, target: Node) -> None:
    """Leave the Space where it was if the new node is gone meanwhile, and fetch back who has followed it already."""
    if await _answers(client, url, target):
        return
    boot = await _switch_back(space, source, target)
    if boot:
        await events.hint(space.pk, {"type": "sound_moved", "node": boot})
    raise NotMoved(f"{target.name} does not answer any more")


async def _answers(client: aiohttp.ClientSession, url: str, target: Node) -> bool:
    """Whether a node still has the Space of this address: as long as its heart beats, one lost call says nothing."""
    for pause in PAUSES:
        if await http.call(client, "GET", url) is not None:
            return True
        if placement.same(target) is None:
            return False
        await asyncio.sleep(pause)
    return False


async def _begin(space: Space, source: Node, target: Node, within: float) -> None:
    """Tell the stage. Where it cannot be told, the Space stays; all further steps pages take by themselves."""
    if not await _tell(space, target, "stage", within):
        await _switch_back(space, source, target)
        raise NotMoved("nobody can be told, since Redis does not answer")


async def _tell(space: Space, target: Node, step: str, within: float = 0.0) -> bool:
    """Whether it could be said, tried again where Redis is away for a moment."""
    for pause in PAUSES:
        try:
            await events.hint(space.pk, {"type": "sound_moving", "node": target.boot, "step": step, "within": within})
        except RedisError:
            await asyncio.sleep(pause)
        else:
            return True
    return False


async def known(client: aiohttp.ClientSession, url: str, node: Node) -> Held:
    """As `held`, asked again where one call is lost. Raises NotMoved where the node never says."""
    for pause in PAUSES:
        said = await held(client, url)
        if said is not None:
            return said
        await asyncio.sleep(pause)
    raise NotMoved(f"{node.name} does not say who is in it")


async def held(client: aiohttp.ClientSession, url: str) -> Held | None:
    """Who is on the node in the Space of this address: nobody where it does not have it, None where it says nothing."""
    try:
        said = await http.ask(client, "GET", url)
    except http.NoAnswer:
        return None
    if said.body.get("error") == "no_space":
        return NOBODY
    return msgspec.convert(said.body, Held) if said.ok else None


async def _has_all(client: aiohttp.ClientSession, url: str, stage: frozenset[str] | set[str]) -> bool:
    there = await held(client, url)
    return there is not None and all(map(there.hears, stage))


async def _is_left_by_listeners(client: aiohttp.ClientSession, url: str) -> bool:
    left = await held(client, url)
    return left is not None and left.here <= left.voices.keys()


async def _is_left(client: aiohttp.ClientSession, url: str) -> bool:
    left = await held(client, url)
    return left is not None and not left.here


async def _until(holds: Callable[[], Awaitable[bool]], seconds: float) -> bool:
    """Look again and again; False where it never holds."""
    end = time.monotonic() + seconds
    while not await holds():
        if time.monotonic() > end:
            return False
        await asyncio.sleep(LOOK_SECONDS)
    return True


@database
def _switch(space: Space, source: Node, target: Node) -> bool:
    """Say in the row where the Space sounds; the node before goes on keeping it for now. False where that is too late.

    An attempt that broke off has said so already."""
    with transaction.atomic():
        fresh = Space.locked(space.pk)
        if fresh.state != Space.State.LIVE or fresh.node_boot not in (source.boot, target.boot):
            return False
        if fresh.node_boot == source.boot:
            fresh.settle(target.name, target.boot, source.boot, fresh.room_ms + LATEST_MS)
    return True


@database
def _switch_back(space: Space, source: Node, target: Node) -> str:
    """Leave the Space where it was, unless it has been placed anew meanwhile; which start of a node it is on now."""
    with transaction.atomic():
        fresh = Space.locked(space.pk)
        if fresh.state != Space.State.LIVE:
            return ""
        if fresh.node_boot == target.boot:
            fresh.settle(source.name, source.boot)
        return fresh.node_boot


@database
def _hand_over(space: Space, target: Node) -> None:
    with transaction.atomic():
        fresh = Space.locked(space.pk)
        if fresh.state == Space.State.LIVE and fresh.node_boot == target.boot:
            at = min(fresh.node_from_ms, fresh.room_ms + HAND_OVER_MS)
            fresh.settle(target.name, target.boot, fresh.node_before, at)
