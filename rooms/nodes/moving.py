"""Takes a live Space from one media node to another while everyone goes on hearing everyone.

1. The row names the new node, and newcomers connect there. The stage gets a hint: every speaker makes a second
   connection and sends to both nodes. Both mix.
2. When the new node has the whole stage, it keeps the sound from a moment on that both nodes know. Everyone gets a
   hint to change to the new node, spread over some time. A page gives the old connection up when the new one sounds.
3. When all listeners have changed, the stage gives the old connections up, too, and the old node closes the Space.

Each step has a time limit. A page that has not changed by then is cut off at the end and reconnects as after any other
interruption. If this process ends between two steps, both nodes go on, and the next attempt starts over.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

import aiohttp
from django.db import transaction
from redis import RedisError

from rooms import events, protocol
from rooms.loops import database
from rooms.media.contract.held import NOTHING_HELD, Held
from rooms.models import Space
from rooms.nodes import http, placement
from rooms.nodes.placement import Node

STAGE_SECONDS = 3.0  # for the stage to be heard on the new node
HAND_OVER_MS = 1000  # until the new node keeps the sound: both know it by then, and the old one still has the stage
LATEST_MS = 10_000  # after which the new node keeps the sound if this process says nothing
JOINS_PER_SECOND = 80.0  # of people who change: handshakes must leave time for the sound
LISTENERS_SECONDS = 6.0  # for the last listeners to change
GOODBYE_SECONDS = 1.5  # for the stage to give the old connections up
LOOK_SECONDS = 0.1
PAUSES = (0.5, 0.5, 0.0)  # seconds after each call that fails: a node may be busy, and Redis away, for a moment


class NotMoved(Exception):
    """A Space that stays where it is. The text says why."""


@dataclass(frozen=True)
class Moved:
    """How a move went. `cut_off`: peers that were still on the old node at its end."""

    peers: int
    seconds: float
    cut_off: int


async def move(space: Space, source: Node, target: Node, client: aiohttp.ClientSession) -> Moved:
    """Take a Space from `source` to `target`. Raises NotMoved if the target cannot take it, or the Space has ended."""
    return await _Move(space, source, target, client).run()


@dataclass(frozen=True)
class _Move:
    space: Space
    source: Node
    target: Node
    client: aiohttp.ClientSession

    @property
    def old(self) -> str:
        return f"{self.source.url}/spaces/{self.space.pk}"

    @property
    def new(self) -> str:
        return f"{self.target.url}/spaces/{self.space.pk}"

    async def run(self) -> Moved:
        start = time.monotonic()
        if await http.call(self.client, "PUT", self.new) is None:
            raise NotMoved(f"{self.target.name} does not take it")
        before = await await_held(self.client, self.old, self.source)
        if not await _switch(self.space, self.source, self.target):
            raise NotMoved("it has ended, or is on another node by now")
        within = round(len(before.here) / JOINS_PER_SECOND, 2)
        await self._move_stage(before.here & before.voices.keys(), within)
        await self._move_listeners(within)
        cut_off = await self._close_old()
        return Moved(len(before.here), time.monotonic() - start, cut_off)

    async def _move_stage(self, stage: frozenset[str], within: float) -> None:
        """Send the hint for the stage. Without it no page follows, so the Space stays. Later hints may be lost."""
        if not await self._hint("stage", within):
            await _switch_back(self.space, self.source, self.target)
            raise NotMoved("no page can be reached, since Redis does not answer")
        await _until(lambda: self._has_all(stage), STAGE_SECONDS)
        await self._check()

    async def _move_listeners(self, within: float) -> None:
        await _hand_over(self.space, self.target)
        over_at = time.monotonic() + HAND_OVER_MS / 1000
        await self._hint("all", within)
        await _until(self._is_left_by_listeners, within + LISTENERS_SECONDS)
        await self._check()
        await asyncio.sleep(max(0.0, over_at - time.monotonic()))

    async def _close_old(self) -> int:
        """Let the stage give the old connections up and close the Space there. Returns how many peers were left."""
        await self._hint("over")
        await _until(self._is_left, GOODBYE_SECONDS)
        left = await fetch_held(self.client, self.old) or NOTHING_HELD
        await http.call(self.client, "DELETE", self.old)
        return len(left.here)

    async def _check(self) -> None:
        """If the new node is gone, leave the Space on the old one and call back the pages that have changed."""
        if await self._answers():
            return
        boot = await _switch_back(self.space, self.source, self.target)
        if boot:
            await events.hint(self.space.pk, protocol.SoundMoved(boot=boot))
        raise NotMoved(f"{self.target.name} does not answer any more")

    async def _answers(self) -> bool:
        """Whether the new node still has the Space. While it has a heartbeat, one lost call says nothing."""
        for pause in PAUSES:
            if await http.call(self.client, "GET", self.new) is not None:
                return True
            if placement.by_boot(self.target.boot) is None:
                return False
            await asyncio.sleep(pause)
        return False

    async def _hint(self, step: Literal["stage", "all", "over"], within: float = 0.0) -> bool:
        """Send a step to the pages, again if Redis is away for a moment. Returns whether it was sent."""
        hint = protocol.SoundMoving(boot=self.target.boot, step=step, within=within)
        for pause in PAUSES:
            try:
                await events.hint(self.space.pk, hint)
            except RedisError:
                await asyncio.sleep(pause)
            else:
                return True
        return False

    async def _has_all(self, stage: frozenset[str]) -> bool:
        there = await fetch_held(self.client, self.new)
        return there is not None and all(map(there.hears, stage))

    async def _is_left_by_listeners(self) -> bool:
        left = await fetch_held(self.client, self.old)
        return left is not None and left.here <= left.voices.keys()

    async def _is_left(self) -> bool:
        left = await fetch_held(self.client, self.old)
        return left is not None and not left.here


async def await_held(client: aiohttp.ClientSession, url: str, node: Node) -> Held:
    """As `fetch_held`, again after a lost call. Raises NotMoved if the node does not answer at all."""
    for pause in PAUSES:
        held = await fetch_held(client, url)
        if held is not None:
            return held
        await asyncio.sleep(pause)
    raise NotMoved(f"{node.name} does not say who is in it")


async def fetch_held(client: aiohttp.ClientSession, url: str) -> Held | None:
    """What the node at this address holds of the Space: NOTHING_HELD if it has none, None if it does not answer."""
    try:
        answer = await http.ask(client, "GET", url)
        if answer.refusal is None:
            return http.read(answer.body, Held)
    except http.NoAnswer:
        return None
    return NOTHING_HELD if answer.refusal.error == "no_space" else None


async def _until(holds: Callable[[], Awaitable[bool]], seconds: float) -> bool:
    """Look again and again until it holds. False if it does not within `seconds`."""
    end = time.monotonic() + seconds
    while not await holds():
        if time.monotonic() > end:
            return False
        await asyncio.sleep(LOOK_SECONDS)
    return True


@database
def _switch(space: Space, source: Node, target: Node) -> bool:
    """Write where the Space sounds. The old node keeps the sound for now. False if the Space has ended or is elsewhere.

    An attempt that broke off may have written it already.
    """
    with transaction.atomic():
        fresh = Space.locked(space.pk)
        if fresh.state != Space.State.LIVE or fresh.boot not in (source.boot, target.boot):
            return False
        if fresh.boot == source.boot:
            fresh.settle(target.name, target.boot, source.boot, fresh.room_ms + LATEST_MS)
    return True


@database
def _switch_back(space: Space, source: Node, target: Node) -> str:
    """Leave the Space where it was, unless it was placed elsewhere meanwhile. Returns its boot; empty if it ended."""
    with transaction.atomic():
        fresh = Space.locked(space.pk)
        if fresh.state != Space.State.LIVE:
            return ""
        if fresh.boot == target.boot:
            fresh.settle(source.name, source.boot)
        return fresh.boot


@database
def _hand_over(space: Space, target: Node) -> None:
    """Write from which moment on the new node keeps the sound."""
    with transaction.atomic():
        fresh = Space.locked(space.pk)
        if fresh.state == Space.State.LIVE and fresh.boot == target.boot:
            at = min(fresh.boot_from_ms, fresh.room_ms + HAND_OVER_MS)
            fresh.settle(target.name, target.boot, fresh.boot_before, at)
