"""The clients of Redis: one per process for sync code, one per event loop for async code."""

from functools import cache

import redis
import redis.asyncio
from django.conf import settings

from rooms.loops import PerLoop


@cache
def redis_client() -> "redis.Redis":
    """The client for verbs, tasks and commands."""
    return redis.Redis.from_url(settings.REDIS_URL, decode_responses=True)


_async_clients: "PerLoop[redis.asyncio.Redis]" = PerLoop(
    lambda: redis.asyncio.Redis.from_url(settings.REDIS_URL, decode_responses=True)
)


def async_redis_client() -> "redis.asyncio.Redis":
    """The client for consumers, that of the running event loop: connections belong to a loop."""
    return _async_clients.get()


async def close_async_redis_client() -> None:
    """Close the client of this event loop, before the loop itself is closed."""
    client = _async_clients.pop()
    if client is not None:
        await client.aclose()  # type: ignore[attr-defined]
