"""The clients of Redis: one per process for sync code, one per event loop for async code."""

from functools import cache

import redis
import redis.asyncio
from django.conf import settings

from rooms.loops import PerLoop

MOST_CONNECTIONS = 50  # of one event loop
WAIT_SECONDS = 20  # for a free connection; redis.ConnectionError after that


@cache
def redis_client() -> "redis.Redis":
    """The client for verbs, tasks and commands."""
    return redis.Redis.from_url(settings.REDIS_URL, decode_responses=True)


def _new_async_client() -> "redis.asyncio.Redis":
    """A client that owns its pool. redis-py's usual pool fails at its limit, this one waits for a free connection."""
    pool: redis.asyncio.BlockingConnectionPool = redis.asyncio.BlockingConnectionPool.from_url(
        settings.REDIS_URL, decode_responses=True, max_connections=MOST_CONNECTIONS, timeout=WAIT_SECONDS
    )
    return redis.asyncio.Redis.from_pool(pool)  # type: ignore[attr-defined]  # missing in types-redis


_async_clients: "PerLoop[redis.asyncio.Redis]" = PerLoop(_new_async_client)


def async_redis_client() -> "redis.asyncio.Redis":
    """The client for consumers, that of the running event loop: connections belong to a loop."""
    return _async_clients.get()


async def close_async_redis_client() -> None:
    """Close the client of this event loop, before the loop itself is closed."""
    client = _async_clients.pop()
    if client is not None:
        await client.aclose()  # type: ignore[attr-defined]
