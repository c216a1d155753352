"""Which media nodes live, as Redis knows it: each says so again and again, and is named in one list.

The list spares everybody a walk through all keys. Only the heartbeat itself counts, which Redis forgets by its own
clock; a name without one is of a node that is gone. What Redis loses is written again with the next heartbeat,
which says since when (``steady``): where Redis was away, whoever is heard first tells nothing of the others.
"""

KEY = "spaces:node:{name}"
NAMES = "spaces:nodes"  # sorted set: name -> Unix seconds of the last heartbeat, by the node's clock
SECONDS, LIFE_MS = 0.5, 3000
FORGOTTEN_SECONDS = 24 * 3600  # after that a name is out of the list; clocks of machines never differ by so much
