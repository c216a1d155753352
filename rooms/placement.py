"""On which media node a Space sounds: chosen by heartbeat and load, kept while that node lives."""

import msgspec

from rooms import store
from rooms.media import heartbeat
from rooms.models import Space


class Node(msgspec.Struct, frozen=True):
    """The heartbeat of a media node. `boot` changes with every start, `load` is 0 to 1."""

    name: str
    boot: str
    url: str
    peers: int
    capacity: int
    load: float
    spaces: list[str]
    draining: bool = False


class NoNode(Exception):
    """No media node is running, or all that run are about to stop. `code` is what the page is told (rooms/sound.py)."""

    code = "no_node"


class AllFull(NoNode):
    """Every media node has as many peers as it takes."""

    code = "full"


def nodes() -> list[Node]:
    """Every node with a fresh heartbeat, least loaded first."""
    client = store.client()
    keys = [heartbeat.KEY.format(name=name) for name in client.zrange(heartbeat.NAMES, 0, -1)]
    beats = [beat for beat in client.mget(keys) if beat] if keys else []
    return sorted((msgspec.json.decode(beat, type=Node) for beat in beats), key=lambda node: (node.load, node.name))


def place(space: Space) -> Node:
    """The node of this Space: the one that has it, or else the least loaded. Raises NoNode."""
    alive = nodes()
    for node in alive:
        if (node.name, node.boot) == (space.node, space.node_boot):
            return node
    staying = [node for node in alive if not node.draining]
    free = [node for node in staying if node.peers < node.capacity]
    if not free:
        raise AllFull if staying else NoNode
    return _claim(space, free[0], alive)


def sounds(space: Space) -> bool | None:
    """Whether a node has this Space; one that nobody was connected to for a while, none has.

    None where its node has no heartbeat: that one may be dead, or only cut off from Redis, and then it plays on."""
    alive = nodes()
    if any(str(space.pk) in node.spaces for node in alive):
        return True
    heard = {(node.name, node.boot) for node in alive}
    return False if not space.node or (space.node, space.node_boot) in heard else None


def _claim(space: Space, node: Node, alive: list[Node]) -> Node:
    """Write the choice, unless somebody else chose in the meantime; then take his."""
    unchanged = Space.objects.filter(pk=space.pk, node=space.node, node_boot=space.node_boot)
    if not unchanged.update(node=node.name, node_boot=node.boot):
        space.refresh_from_db(fields=["node", "node_boot"])
        return next((n for n in alive if (n.name, n.boot) == (space.node, space.node_boot)), node)
    space.node, space.node_boot = node.name, node.boot
    return node
