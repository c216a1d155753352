"""Empties a media node: it gets no more Spaces, and the Spaces that it has move to other nodes, one after another."""

import asyncio
import time
from collections.abc import Callable
from uuid import UUID

import aiohttp
import msgspec
from redis import RedisError

from rooms.loops import database
from rooms.media.contract import heartbeat
from rooms.media.contract.health import Health
from rooms.models import Space
from rooms.nodes import http, moving, placement
from rooms.nodes.placement import Node

Say = Callable[[str], None]
BEAT_SECONDS = 10 * heartbeat.SECONDS  # until a heartbeat says that the node is draining
LOOK_SECONDS = 0.05


async def set_draining(node: Node, client: aiohttp.ClientSession, draining: bool) -> bool:
    """Let the node get no more Spaces, or let it get Spaces again. Returns whether it answered.

    A node that is started again forgets it.
    """
    return await http.call(client, "PUT" if draining else "DELETE", f"{node.url}/draining") is not None


async def await_draining(node: Node) -> Node | None:
    """Wait until a heartbeat says that the node is draining. Returns it, with all Spaces that were placed there.

    None if no heartbeat says so within a few beats.
    """
    end = time.monotonic() + BEAT_SECONDS
    while time.monotonic() < end:
        now = placement.by_boot(node.boot)
        if now is not None and now.draining:
            return msgspec.structs.replace(now, spaces=tuple(await _all_on(now)))
        await asyncio.sleep(LOOK_SECONDS)
    return None


@database
def _all_on(node: Node) -> list[str]:
    """The Spaces that the node has, and those that were placed on it but that no one has joined there yet."""
    rows = Space.objects.live().filter(boot=node.boot).values_list("pk", flat=True)
    return list(dict.fromkeys([*node.spaces, *map(str, rows)]))


async def is_running(node: Node, client: aiohttp.ClientSession) -> bool:
    """Whether the node with this boot still runs, by its heartbeat or, without one in Redis, by its own answer."""
    if placement.by_boot(node.boot) is not None:
        return True
    health = await http.fetch(client, f"{node.url}/health", Health)
    return health is not None and health.boot == node.boot


async def stop(node: Node, client: aiohttp.ClientSession) -> bool:
    """Let the node end. Returns whether it answered."""
    return await http.call(client, "POST", f"{node.url}/stop") is not None


async def empty(node: Node, client: aiohttp.ClientSession, say: Say) -> int:
    """Move the Spaces of a node to other nodes with enough free places. Returns how many stay.

    Looks until the rows name no further Space: a process may place one there until it has read the heartbeat.
    """
    left, seen = 0, set[str]()
    while coming := [name for name in await _all_on(node) if name not in seen]:
        seen.update(coming)
        for name in coming:
            left += not await _moves_away(name, node, client, say)
    return left


async def _moves_away(name: str, node: Node, client: aiohttp.ClientSession, say: Say) -> bool:
    """Whether the node no longer needs to run for this Space: it has moved, or has ended."""
    space = await _live(name)
    if space is None:
        return True
    try:
        peers = len((await moving.await_held(client, f"{node.url}/spaces/{name}", node)).here)
        target = await _target(space, node, peers)
        moved = await moving.move(space, node, target, client)
    except moving.NotMoved as why:
        say(f"{space} ({name}) stays: {why}.")
        return False
    except RedisError as error:
        say(f"{space} ({name}) stays: Redis does not answer ({error}).")
        return False
    cut = f", {moved.cut_off} cut off" if moved.cut_off else ""
    say(f"{space} ({name}) moved to {target.name}: {moved.peers} connected, {moved.seconds:.1f} s{cut}.")
    return True


@database
def _live(name: str) -> Space | None:
    return Space.objects.live().filter(pk=UUID(name)).first()


@database
def _target(space: Space, source: Node, peers: int) -> Node:
    """The node to which a Space moves. An attempt that broke off goes on to the same node. Raises NotMoved.

    People who move are let in before newcomers, but must not take the last places from them.
    """
    alive = placement.nodes()
    now = placement.node_of(space, alive)
    if now and now.boot != source.boot:
        return now
    others = [node for node in alive if node.boot != source.boot and not node.draining and node.free_places > peers]
    if not others:
        raise moving.NotMoved(f"no other node has more than {peers} free places")
    return placement.least_loaded(others)
