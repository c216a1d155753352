"""Empties a media node: it gets no more Spaces, and those that it has move to others, one after the other."""

import asyncio
import time
from collections.abc import Callable
from uuid import UUID

import aiohttp
import msgspec
from redis import RedisError

from rooms.loops import database
from rooms.media.contract import heartbeat
from rooms.models import Space
from rooms.nodes import http, moving, placement
from rooms.nodes.placement import Node

Say = Callable[[str], None]
KNOWN_SECONDS = 10 * heartbeat.SECONDS  # until the heart of a node says that it drains
LOOK_SECONDS = 0.05


async def set_draining(node: Node, client: aiohttp.ClientSession, draining: bool) -> bool:
    """Whether the node has heard that it gets no more Spaces, or gets them again. A new start of it has not."""
    return await http.call(client, "PUT" if draining else "DELETE", f"{node.url}/draining") is not None


async def drained(node: Node) -> Node | None:
    """What the node says when everybody knows that it drains, and has all that was placed on it before.

    None where its heart does not say so within a few beats."""
    end = time.monotonic() + KNOWN_SECONDS
    while time.monotonic() < end:
        now = placement.same(node)
        if now is not None and now.draining:
            return msgspec.structs.replace(now, spaces=tuple(await _all_on(now)))
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
    said = await http.call(client, "GET", f"{node.url}/health")
    return said is not None and said["boot"] == node.boot


async def stop(node: Node, client: aiohttp.ClientSession) -> bool:
    """Whether the node has heard that it is to end."""
    return await http.call(client, "POST", f"{node.url}/stop") is not None


async def empty(node: Node, client: aiohttp.ClientSession, say: Say) -> int:
    """Move the Spaces of a node to others, where one has room for them; how many it still has after that.

    Until the rows name no further one: somebody may place it there who asked before the heart said that it drains."""
    left, seen = 0, set[str]()
    while coming := [name for name in await _all_on(node) if name not in seen]:
        seen.update(coming)
        for name in coming:
            left += not await _leaves(name, node, client, say)
    return left


async def _leaves(name: str, node: Node, client: aiohttp.ClientSession, say: Say) -> bool:
    """Whether the node need not go on for the sake of this Space: it has moved, or has ended."""
    space = await _live(name)
    if space is None:
        return True
    try:
        peers = len((await moving.known(client, f"{node.url}/spaces/{name}", node)).here)
        target = await _target(space, node, peers)
        moved = await moving.move(space, node, target, client)
    except moving.NotMoved as why:
        say(f"{space} ({name}) stays: {why}.")
        return False
    except RedisError as error:
        say(f"{space} ({name}) stays: Redis does not answer ({error}).")
        return False
    cut = f", {moved.behind} did not come along" if moved.behind else ""
    say(f"{space} ({name}) moved to {target.name}: {moved.peers} connected, {moved.seconds:.1f} s{cut}.")
    return True


@database
def _live(name: str) -> Space | None:
    return Space.objects.live().filter(pk=UUID(name)).first()


@database
def _target(space: Space, source: Node, peers: int) -> Node:
    """Where a Space goes; an attempt that broke off goes on to where it was to go. Raises NotMoved.

    Whoever comes along is let in before newcomers, but shall not take the last places of those."""
    alive = placement.nodes()
    home = placement.home(space, alive)
    if home and home.boot != source.boot:
        return home
    others = [node for node in alive if node.boot != source.boot and not node.draining and node.free_places > peers]
    if not others:
        raise moving.NotMoved(f"no other node has room for the {peers} in it")
    return placement.least_loaded(others)
