"""Empties a media node: it gets no more Spaces, and those that it has move to others, one after the other."""

from collections.abc import Callable
from uuid import UUID

import aiohttp

from rooms import moving, nodes, placement
from rooms.models import Space
from rooms.placement import Node
from rooms.threads import database

Say = Callable[[str], None]


async def set_draining(node: Node, client: aiohttp.ClientSession, draining: bool) -> bool:
    """Whether the node has heard that it gets no more Spaces, or gets them again. A new start of it has not."""
    return await nodes.call(client, "PUT" if draining else "DELETE", f"{node.url}/draining") is not None


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
