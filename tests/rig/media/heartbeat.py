"""Media nodes that exist in Redis only."""

import time
from typing import Any

import msgspec

from rooms.media.contract import heartbeat
from rooms.media.contract.health import Health, Percentiles
from rooms.store.client import redis_client


def beat(name: str, **fields: Any) -> None:
    """Write the heartbeat of a node as `rooms/media/link.py` does, but without an end."""
    redis_client().set(heartbeat.KEY.format(name=name), msgspec.json.encode(node(name, **fields)))
    redis_client().zadd(heartbeat.NAMES, {name: time.time()})


def node(name: str, **fields: Any) -> heartbeat.Beat:
    """A node that takes ten peers and has nothing to do, but for the named fields."""
    usual = {"boot": "1", "url": f"http://127.0.0.1:1/{name}", "peers": 0, "capacity": 10, "places": 10, "load": 0.0}
    quiet = {"tick_p99_ms": 0.0, "spaces": (), "full": False, "draining": False, "hls": False}
    steady = heartbeat.LIFE_MS / 1000
    return msgspec.convert(usual | quiet | {"name": name, "steady": steady} | fields, heartbeat.Beat)


def health(drops: dict[str, int]) -> Health:
    """A node that has nothing to do and has thrown this away, by cause."""
    numbers = ("spaces", "peers", "joins", "restarts", "sent", "dropped", "overflowed", "missed_ticks", "failed_ticks")
    quiet: dict[str, Any] = dict.fromkeys((*numbers, "spool", "pieces_dropped", "tasks"), 0)
    quick = Percentiles(0.0, 0.0)
    return Health(node="n1", boot="1", load=0.0, full=False, drops=drops, tick_ms=quick, late_ms=quick, **quiet)


def died(name: str) -> None:
    """Redis has forgotten the heartbeat; the name stays in the list for a while."""
    redis_client().delete(heartbeat.KEY.format(name=name))
