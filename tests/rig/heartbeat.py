"""Media nodes that exist in Redis only."""

import time
from typing import Any

import msgspec

from rooms.media.contract import heartbeat
from rooms.store import client as store


def beat(name: str, **fields: Any) -> None:
    """The heartbeat of a node, as `rooms/media/link.py` writes it, but for ever."""
    said = {"name": name, "boot": "1", "url": f"http://127.0.0.1:1/{name}", "peers": 0, "capacity": 10, "load": 0.0}
    store.client().set(heartbeat.KEY.format(name=name), msgspec.json.encode(said | {"spaces": []} | fields))
    store.client().zadd(heartbeat.NAMES, {name: time.time()})


def died(name: str) -> None:
    """Redis has forgotten the heartbeat; the name stays in the list for a while."""
    store.client().delete(heartbeat.KEY.format(name=name))
