"""The queue for a place in the sound, when no media node has one free: first come, first served, one per Space.

A member stays in the queue until they have sound or are out of the Space. A member whose connection is lost keeps the
place for as long as the place in the Space, and is passed over meanwhile. `rooms.live.ticker` calls as many members as
there are free places. If Redis loses the queue, it is filled again when the pages ask again, in another order.
"""

import time
from datetime import datetime
from typing import Any

from django.db import transaction

from rooms.store import keys
from rooms.store.client import redis_client

CALL_SECONDS = 10.0  # for a called member to come, before the next one is called
MOST_CALLED = 20  # per second; their load on the node is measured before the next ones are called
MOST_PLACES_SENT = 100  # per second, of new places to members who wait
LIFE_SECONDS = 24 * 3600

# Members already called are on their way and do not count. A called member who finds the node full gets the old
# position back.
_JOIN = """
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then
  redis.call('ZADD', KEYS[1], redis.call('INCR', KEYS[2]), ARGV[1])
end
redis.call('EXPIRE', KEYS[1], ARGV[2])
redis.call('ZREM', KEYS[3], ARGV[1])
local rank = redis.call('ZRANK', KEYS[1], ARGV[1])
local ahead = 0
for _, called in ipairs(redis.call('ZRANGE', KEYS[3], 0, -1)) do
  local at = redis.call('ZRANK', KEYS[1], called)
  if at and at < rank then ahead = ahead + 1 end
end
return rank - ahead + 1
"""


def _keys(space: object, *names: str) -> list[str]:
    return [name.format(space=space) for name in names]


def join(space: object, participant: object) -> int:
    """Put a member into the queue, if they are not in it, and return their place, from 1."""
    names = _keys(space, keys.QUEUE, keys.QUEUE_NUMBER, keys.CALLED)
    place = int(redis_client().eval(_JOIN, 3, *names, str(participant), LIFE_SECONDS))
    _note_places(space, {str(participant): place})
    return place


def _note_places(space: object, places: dict[str, int]) -> None:
    key = keys.PLACES.format(space=space)
    with redis_client().pipeline(transaction=False) as pipe:
        pipe.hset(key, mapping={who: str(place) for who, place in places.items()}).expire(key, LIFE_SECONDS).execute()


def may_enter(space: object, participant: object) -> bool:
    """Whether a newcomer may ask the node now: the queue is empty, or they were called."""
    queue, called = _keys(space, keys.QUEUE, keys.CALLED)
    client = redis_client()
    return not client.zcard(queue) or (client.zscore(called, str(participant)) or 0.0) > time.time()


def got_sound(space: object, participant: object) -> None:
    """Note that a member got sound, and take them out of the queue."""
    key = keys.HAD_SOUND.format(space=space)
    with redis_client().pipeline(transaction=False) as pipe:
        pipe.zadd(key, {str(participant): time.time()}).expire(key, LIFE_SECONDS)
        _leave(pipe, space, participant)
        pipe.execute()


def had_sound(space: object, participant: object, since: datetime) -> bool:
    """Whether a member has had sound since they entered: they keep that place for as long as the one in the Space."""
    at = redis_client().zscore(keys.HAD_SOUND.format(space=space), str(participant))
    return at is not None and at >= since.timestamp()


def leave(space: object, participant: object) -> None:
    """Take a member out of the queue. Does nothing if they are not in it."""
    with redis_client().pipeline(transaction=False) as pipe:
        _leave(pipe, space, participant)
        pipe.execute()


def _leave(pipe: Any, space: object, participant: object) -> None:
    queue, called, places = _keys(space, keys.QUEUE, keys.CALLED, keys.PLACES)
    pipe.zrem(queue, str(participant)).zrem(called, str(participant)).hdel(places, str(participant))


def leave_on_commit(space: object, participant: object) -> None:
    """Take a member out of the queue after commit: they are out of the Space."""
    transaction.on_commit(lambda: leave(space, participant), robust=True)


def delete_on_commit(space: object) -> None:
    """Delete the queue after commit: the Space has ended."""
    names = _keys(space, keys.QUEUE, keys.CALLED, keys.PLACES, keys.HAD_SOUND)
    transaction.on_commit(lambda: redis_client().delete(*names), robust=True)


def call_next(space: object, free_places: int, connected: set[str]) -> dict[str, int]:
    """Call the next members, as many as there are `free_places`. Returns which member is to be sent which place.

    Place 0 is a call. Only the `connected` are called. A called member who did not come goes to the end.
    """
    queue, called = _keys(space, keys.QUEUE, keys.CALLED)
    client, now = redis_client(), time.time()
    for late in client.zrangebyscore(called, "-inf", now):
        _cancel_call(space, late, late in connected)
    under_way = set(client.zrange(called, 0, -1))
    waiting = [who for who in client.zrange(queue, 0, -1) if who not in under_way]
    free = max(0, min(free_places - len(under_way), MOST_CALLED))
    going = [who for who in waiting if who in connected][:free]
    if going:
        client.zadd(called, dict.fromkeys(going, now + CALL_SECONDS))
        client.expire(called, LIFE_SECONDS)
    staying = [who for who in waiting if who not in going]
    return dict.fromkeys(going, 0) | _new_places(space, staying, connected)


def _cancel_call(space: object, participant: str, is_connected: bool) -> None:
    queue, called = _keys(space, keys.QUEUE, keys.CALLED)
    client = redis_client()
    client.zrem(called, participant)
    if is_connected:
        client.zadd(queue, {participant: client.incr(keys.QUEUE_NUMBER)}, xx=True)


def _new_places(space: object, staying: list[str], connected: set[str]) -> dict[str, int]:
    """The places that have changed since they were last sent, the first ones first."""
    sent = redis_client().hgetall(keys.PLACES.format(space=space))
    places = {who: place for place, who in enumerate(staying, 1) if who in connected and sent.get(who) != str(place)}
    first = dict(list(places.items())[:MOST_PLACES_SENT])
    if first:
        _note_places(space, first)
    return first
