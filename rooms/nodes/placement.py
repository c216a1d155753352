"""On which media node a Space sounds: chosen by heartbeat and load, kept while that node lives."""

from collections import Counter

import msgspec
from django.db import transaction

from rooms.media.contract import heartbeat
from rooms.models import Space
from rooms.store.client import redis_client

COMING_LOAD = 0.02  # that a Space counts for which is placed on a node and not in its heartbeat yet


Node = heartbeat.Beat  # a media node, as its latest heartbeat describes it


class NoNode(Exception):
    """No media node is running, all that run are about to stop, or the one that has the Space may live (`_is_gone`).

    `code` is what the page is told (rooms/nodes/offers.py)."""

    code = "no_node"


class AllFull(NoNode):
    """Every media node has as much to do as it takes."""

    code = "full"


def nodes() -> list[Node]:
    """Every node with a fresh heartbeat, least loaded first."""
    client = redis_client()
    keys = [heartbeat.KEY.format(name=name) for name in client.zrange(heartbeat.NAMES, 0, -1)]
    beats = [beat for beat in client.mget(keys) if beat] if keys else []
    return sorted((msgspec.json.decode(beat, type=Node) for beat in beats), key=lambda node: (node.load, node.name))


def same(node: Node) -> Node | None:
    """What this start of a node says now; None where Redis does not know it."""
    return started(node.boot)


def started(boot: str) -> Node | None:
    """The node of which this is a start; None where Redis does not know it."""
    return next((now for now in nodes() if now.boot == boot), None)


def lost(alive: list[Node]) -> list[tuple[str, float]]:
    """The names of nodes that ended without a goodbye, with the Unix seconds of their last heartbeat."""
    living = {node.name for node in alive}
    return [
        (name, at) for name, at in redis_client().zrange(heartbeat.NAMES, 0, -1, withscores=True) if name not in living
    ]


def place(space: Space, preferred: bool = False) -> Node:
    """The node of this Space: the one that has it, or else the least loaded that has room for all in it, or the most.

    A full node gets a new Space only for somebody who is `preferred` to newcomers, and where no other one is left.
    Raises NoNode."""
    return home(space, nodes()) or _claim(space, preferred)


def home(space: Space, alive: list[Node]) -> Node | None:
    """The node that has this Space by its row, if it lives. One that drains and has forgotten it gets it no more."""
    for node in alive:
        if (node.name, node.boot) == (space.node, space.node_boot):
            return node if not node.draining or str(space.pk) in node.spaces else None
    return None


def room(space: Space) -> int:
    """How many newcomers there is a place for in this Space now."""
    alive = nodes()
    node = home(space, alive)
    if node is not None:
        return node.free_places
    return max((node.free_places for node in alive if not node.draining), default=0) if _is_gone(space, alive) else 0


def _chosen(space: Space, alive: list[Node], preferred: bool) -> Node:
    staying = [node for node in alive if not node.draining]
    free = [node for node in staying if node.free_places]
    if preferred and not free:
        free = [node for node in staying if node.peers < node.capacity]
    if not free:
        raise AllFull if staying else NoNode
    needed = min(space.participants.present().count(), max(node.free_places for node in free))
    return least_loaded([node for node in free if node.free_places >= needed])


def least_loaded(choice: list[Node]) -> Node:
    """Of some nodes the one with the least to do, counting what was placed there a moment ago."""
    known = {space for node in choice for space in node.spaces}
    rows = Space.objects.live().filter(node_boot__in=[node.boot for node in choice]).values_list("pk", "node_boot")
    coming = Counter(boot for pk, boot in rows if str(pk) not in known)
    return min(choice, key=lambda node: (node.load + COMING_LOAD * coming[node.boot], node.name))


def sounds(space: Space) -> bool | None:
    """Whether a node has this Space; one that nobody was connected to for a while, none has.

    None where its node has no heartbeat: that one may be dead, or only cut off from Redis, and then it plays on."""
    alive = nodes()
    if any(str(space.pk) in node.spaces for node in alive):
        return True
    heard = {(node.name, node.boot) for node in alive}
    return False if not space.node or (space.node, space.node_boot) in heard else None


@transaction.atomic
def _claim(space: Space, preferred: bool) -> Node:
    """Choose a node and write the choice, unless somebody else chose in the meantime; then take his.

    By what hearts say now: one may have begun to drain while we waited for the lock."""
    locked, alive = Space.locked(space.pk), nodes()
    node = home(locked, alive)
    if node is None:
        node = _next_home(locked, alive, preferred)
        locked.settle(node.name, node.boot)
    space.node, space.node_boot = locked.node, locked.node_boot
    return node


def _next_home(space: Space, alive: list[Node], preferred: bool) -> Node:
    if not _is_gone(space, alive):
        raise NoNode
    return _chosen(space, alive, preferred)


def _is_gone(space: Space, alive: list[Node]) -> bool:
    """Whether the node of this Space would be heard if it lived; also where it was started again, or wants it no more.

    Where Redis was away itself, whoever is heard first would get the Spaces of all others. So somebody has to have been
    heard for as long as a heartbeat lasts."""
    if not space.node or space.node in {node.name for node in alive}:
        return True
    return any(node.steady >= heartbeat.LIFE_MS / 1000 for node in alive)
