"""On which media node a Space sounds: chosen by heartbeat and load, kept while that node lives."""

from collections import Counter

import msgspec
import structlog
from django.db import transaction

from rooms.media.contract import heartbeat
from rooms.models import Space
from rooms.nodes.refusals import SoundReason, SoundRefused
from rooms.store.client import redis_client

log = structlog.get_logger(__name__)

COMING_LOAD = 0.02  # of a core: what a Space counts for that is placed on a node but not in its heartbeat yet

Node = heartbeat.Beat  # a media node, as its latest heartbeat describes it


def nodes() -> list[Node]:
    """Every node with a fresh heartbeat, least loaded first."""
    client = redis_client()
    keys = [heartbeat.KEY.format(name=name) for name in client.zrange(heartbeat.NAMES, 0, -1)]
    beats = [beat for beat in client.mget(keys) if beat] if keys else []
    return sorted(filter(None, map(_read, beats)), key=lambda node: (node.load, node.name))


def _read(beat: str) -> Node | None:
    """A heartbeat; None if it is none that this version knows. One such node must not hide the others."""
    try:
        return msgspec.json.decode(beat, type=Node)
    except msgspec.MsgspecError as error:
        log.warning("heartbeat_not_read", error=str(error))
        return None


def by_boot(boot: str) -> Node | None:
    """The node with this boot, as its heartbeat is now. None if Redis has no heartbeat of it."""
    return next((node for node in nodes() if node.boot == boot), None)


def silent_nodes(alive: list[Node]) -> list[tuple[str, float]]:
    """The names of nodes that ended without a goodbye, with the Unix seconds of their last heartbeat."""
    living = {node.name for node in alive}
    known = redis_client().zrange(heartbeat.NAMES, 0, -1, withscores=True)
    return [(name, at) for name, at in known if name not in living]


def place(space: Space, preferred: bool = False) -> Node:
    """The node of this Space. If it has none, the least loaded one that has places for everyone is chosen.

    If no node has that many places, the node with most places is chosen. A full node gets a new Space only for a member
    who is `preferred` to newcomers, and only if no other node is left.

    Raises SoundRefused: `full`, or `no_node` if none runs, all are draining, or the Space's node may still live.
    """
    return node_of(space, nodes()) or _claim(space, preferred)


def node_of(space: Space, alive: list[Node]) -> Node | None:
    """The node that has this Space by its row, if it lives and has not given it up while draining."""
    for node in alive:
        if (node.name, node.boot) == (space.node, space.boot):
            return node if not node.draining or str(space.pk) in node.spaces else None
    return None


def free_places(space: Space) -> int:
    """How many newcomers to this Space a node would take now."""
    alive = nodes()
    node = node_of(space, alive)
    if node is not None:
        return node.free_places
    if not _is_gone(space, alive):
        return 0
    return max((node.free_places for node in alive if not node.draining), default=0)


def _chosen(space: Space, alive: list[Node], preferred: bool) -> Node:
    staying = [node for node in alive if not node.draining]
    free = [node for node in staying if node.free_places]
    if preferred and not free:
        free = [node for node in staying if node.peers < node.capacity]
    if not free:
        raise SoundRefused(SoundReason.FULL if staying else SoundReason.NO_NODE)
    needed = min(space.participants.present().count(), max(node.free_places for node in free))
    return least_loaded([node for node in free if node.free_places >= needed])


def least_loaded(choice: list[Node]) -> Node:
    """The least loaded of these nodes, counting Spaces that were placed on them a moment ago."""
    known = {space for node in choice for space in node.spaces}
    rows = Space.objects.live().filter(boot__in=[node.boot for node in choice]).values_list("pk", "boot")
    coming = Counter(boot for pk, boot in rows if str(pk) not in known)
    return min(choice, key=lambda node: (node.load + COMING_LOAD * coming[node.boot], node.name))


def is_sounding(space: Space) -> bool | None:
    """Whether a node has this Space. No node has it if no one has been connected to it for a while.

    None if its node has no heartbeat: it may be dead, or only cut off from Redis while the sound goes on.
    """
    alive = nodes()
    if any(str(space.pk) in node.spaces for node in alive):
        return True
    beating = {(node.name, node.boot) for node in alive}
    return False if not space.node or (space.node, space.boot) in beating else None


@transaction.atomic
def _claim(space: Space, preferred: bool) -> Node:
    """Choose a node and write the choice, or take the node that another process chose in the meantime.

    The heartbeats are read with the Space locked: a node may have begun to drain while we waited for the lock.
    """
    locked, alive = Space.locked(space.pk), nodes()
    node = node_of(locked, alive)
    if node is None:
        node = _next_node(locked, alive, preferred)
        locked.settle(node.name, node.boot)
    space.node, space.boot = locked.node, locked.boot
    return node


def _next_node(space: Space, alive: list[Node], preferred: bool) -> Node:
    if not _is_gone(space, alive):
        raise SoundRefused(SoundReason.NO_NODE)
    return _chosen(space, alive, preferred)


def _is_gone(space: Space, alive: list[Node]) -> bool:
    """Whether the Space's node is certainly gone, so that another one may get the Space.

    It is gone if the Space was never placed, if the node runs but was restarted or gave the Space up, or if it has no
    heartbeat although Redis has been up long enough. After an outage of Redis the first node with a heartbeat would
    otherwise get the Spaces of all others.
    """
    if not space.node or space.node in {node.name for node in alive}:
        return True
    return any(node.steady >= heartbeat.LIFE_MS / 1000 for node in alive)
