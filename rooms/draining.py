"""Empties a media node: it gets no more Spaces, and those that it has move to others, one after the other."""

import asyncio
import time
from collections.abc import Callable
from uuid import UUID

import aiohttp
import msgspec

from rooms import moving, nodes, placement
from rooms.media import heartbeat
from rooms.models import Space
from rooms.placement import Node
from rooms.threads import database

Say = Callable[[str], None]
KNOWN_SECONDS = 10 * heartbeat.SECONDS  # until the heart of a node says that it drains
LOOK_SECONDS = 0.05


async def set_draining(node: Node, client: aiohttp.ClientSession, draining: bool) -> bool:
    """Whether the node has heard that it gets no more Spaces, or gets them again. A new start of it has not."""
    return await nodes.call(client, "PUT" if draining else "DELETE", f"{node.url}/draining") is not None


async def drained(node: Node) -> Node | None:
    """What the node says when everybody knows that it drains, and has all that was placed on it before.

    None where its heart does not say so within a few beats."""
    end = time.monotonic() + KNOWN_SECONDS
    while time.monotonic() < end:
        now = placement.same(node)
        if now is not None and now.draining:
            return msgspec.structs.replace(now, spaces=await _all_on(now))
        await asyncio.sleep(LOOK_SECONDS)
    return None


@database
def _all_on(node: Node) -> list[str]:
    """The Spaces that the node has, and those that were placed on it a moment ago and nobody has come to yet."""
    rows = Space.objects.live().filter(node_boot=node.boot).values_list("pk", flat=True)
    return list(dict.fromkeys([*node.spaces, *map(str, rows)]))


async def lives(node: Node, client: aiohttp.ClientSession) -> bool:
    """Whether this start of the node goes on, by its heart, or, where Redis does not know it, by its own word."""
    if placement.same(node) is not None:
        return True
    said = await nodes.call(client, "GET", f"{node.url}/health")
    return said is not None and said["boot"] == node.boot


async def stop(node: Node, client: aiohttp.ClientSession) -> bool:
    """Whether the node has heard that it is to end."""
    return await nodes.call(client, "POST", f"{node.url}/stop") is not None


async def empty(node: Node, client: aiohttp.ClientSession, say: Say) -> int:
    """Move the Spaces of a node to others, where one has room for them; how many it still has after that."""
    left = 0
    for name in node.spaces:
        peers = (await moving.held(client, f"{node.url}/spaces/{name}")).here
        space, target = await _plan(name, node, len(peers))
        if space is None:
            continue  # it has ended
        try:
            if target is None:
                raise moving.NotMoved(f"no other node has room for the {len(peers)} in it")
            moved = await moving.move(space, node, target, client)
            cut = f", {moved.behind} did not come along" if moved.behind else ""
            say(f"{space} ({name}) moved to {target.name}: {moved.peers} connected, {moved.seconds:.1f} s{cut}.")
        except moving.NotMoved as why:
            say(f"{space} ({name}) stays: {why}.")
            left += 1
    return left


@database
def _plan(name: str, source: Node, peers: int) -> tuple[Space | None, Node | None]:
    """The live Space of this id, and where it goes; an attempt that broke off goes on to where it was to go.

    Whoever comes along is let in before newcomers, but shall not take the last places of those."""
    space = Space.objects.live().filter(pk=UUID(name)).first()
    if space is None:
        return None, None
    alive = placement.nodes()
    home = placement.home(space, alive)
    if home and home.boot != source.boot:
        return space, home
    others = [node for node in alive if node.boot != source.boot and not node.draining and node.room > peers]
    return space, placement.least_loaded(others) if others else None
