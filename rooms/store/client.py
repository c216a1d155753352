"""Redis as rooms uses it: the names of the keys, and one client per process for each way of calling."""

from functools import cache

import redis
import redis.asyncio
from django.conf import settings

from rooms.loops import PerLoop

PRESENCE = "spaces:presence:{space}"  # sorted set: connection -> unix seconds until which it counts
REACTIONS = "spaces:reactions:{space}"  # hash: emoji -> count since the last event
AUDIENCE = "spaces:audience:{space}"  # list of who came and went since the last event
LINE = "spaces:line:{space}"  # sorted set: who waits for a place in the sound -> his ticket
TICKETS = "spaces:line:tickets"  # the last ticket that was given
CALLED = "spaces:line:called:{space}"  # sorted set: whose turn it is -> unix seconds until which it is
TOLD = "spaces:line:told:{space}"  # hash: who waits -> the place that he was told last
SOUNDED = "spaces:sounded:{space}"  # sorted set: participant -> unix seconds at which he last got his sound
TURN = "spaces:turn:{what}"  # there while a process has sent that sum a moment ago
CONNECTIONS = "spaces:connections:{participant}"  # set: those that somebody opened, and that have not ended
RELAYS = "spaces:relays:{member}"  # how often a member got credentials for TURN in this minute
SUM_SECONDS = 60  # sums that no process picked up are of no interest after that


@cache
def client() -> "redis.Redis":
    """The client for verbs, tasks and commands."""
    return redis.Redis.from_url(settings.REDIS_URL, decode_responses=True)


_async_clients: "PerLoop[redis.asyncio.Redis]" = PerLoop(
    lambda: redis.asyncio.Redis.from_url(settings.REDIS_URL, decode_responses=True)
)


def async_client() -> "redis.asyncio.Redis":
    """The client for consumers: one per event loop, since connections belong to a loop."""
    return _async_clients.get()


async def close_async_client() -> None:
    """Close this event loop's client, before the loop itself is closed."""
    client = _async_clients.pop()
    if client is not None:
        await client.aclose()  # type: ignore[attr-defined]
