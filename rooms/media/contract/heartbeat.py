"""The heartbeats of media nodes in Redis: who runs, and how much it has to do.

A node lives while its heartbeat is there. Redis deletes it by its own clock. NAMES spares readers a walk through all
keys: a name without a heartbeat belongs to a node that is gone. A heartbeat that Redis lost is written again with the
next beat, and `Beat.steady` starts from 0. So after an outage of Redis the first heartbeat says nothing about other
nodes.
"""

import msgspec

KEY = "spaces:node:{name}"
NAMES = "spaces:nodes"  # sorted set: name -> Unix seconds of the last heartbeat, by the node's clock
SECONDS, LIFE_MS = 0.5, 3000
FORGOTTEN_SECONDS = 24 * 3600  # a silent name leaves the list after that; clocks of machines differ by much less


class Beat(msgspec.Struct, frozen=True, kw_only=True):
    """One heartbeat, JSON under KEY. Fields that a reader does not know are ignored, so versions can run side by side.

    `boot` is the id of this start of the node. `load` is its share of a core, 0 to 1. `capacity` is the most peers it
    takes, `places` the most when the next one is a newcomer. While it is `full` it refuses newcomers; while it is
    `draining` it gets no more Spaces. `hls`: it writes files. `steady`: the seconds for which Redis has had its
    heartbeat without a break.
    """

    name: str
    boot: str
    url: str
    peers: int
    capacity: int
    places: int
    load: float
    tick_p99_ms: float
    spaces: tuple[str, ...]
    full: bool
    draining: bool
    hls: bool
    steady: float

    @property
    def free_places(self) -> int:
        """How many newcomers it takes now."""
        return 0 if self.full else max(0, self.places - self.peers)
