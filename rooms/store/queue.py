"""The queue of those for whom no media node has a place: first come, first served, one per Space, in Redis.

A member stays in it until they have sound or are out of the Space. Somebody who lost the connection keeps the place for
as long as the place in the Space, and is passed over meanwhile. `rooms.live.ticker` calls as many as there are free
places. If Redis loses the queue, it comes back when the pages ask again, in another order.
"""

import time
from datetime import datetime
from typing import Any

from django.db import transaction

from rooms.store import keys
from rooms.store.client import redis_client

CALL_SECONDS = 10.0  # that somebody has to come when it is his turn; then it is the next one's
MOST_CALLED = 20  # in one second: what they do to the node is measured before the next ones are called
MOST_TOLD = 100  # of those who wait, in one second, of their new place
LIFE_SECONDS = 24 * 3600

# Those who were called are on their way in and do not count; whoever was and finds no room has his old place again.
_STAND = """
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


def stand(space: object, participant: object) -> int:
    """The place, from 1, of somebody who waits from now on, or did before."""
    names = _keys(space, keys.LINE, keys.TICKETS, keys.CALLED)
    place = int(redis_client().eval(_STAND, 3, *names, str(participant), LIFE_SECONDS))
    _note_told(space, {str(participant): place})
    return place


def _note_told(space: object, places: dict[str, int]) -> None:
    key = keys.TOLD.format(space=space)
    with redis_client().pipeline(transaction=False) as pipe:
        pipe.hset(key, mapping={who: str(place) for who, place in places.items()}).expire(key, LIFE_SECONDS).execute()


def lets(space: object, participant: object) -> bool:
    """Whether somebody who comes may go in: nobody waits, or it is his turn."""
    line, called = _keys(space, keys.LINE, keys.CALLED)
    client = redis_client()
    return not client.zcard(line) or (client.zscore(called, str(participant)) or 0.0) > time.time()


def heard(space: object, participant: object) -> None:
    """Note that somebody has got his sound, and so waits no more."""
    key = keys.SOUNDED.format(space=space)
    with redis_client().pipeline(transaction=False) as pipe:
        pipe.zadd(key, {str(participant): time.time()}).expire(key, LIFE_SECONDS)
        _drop(pipe, space, participant)
        pipe.execute()


def was_heard(space: object, participant: object, since: datetime) -> bool:
    """Whether somebody has had sound since they entered: they keep that place for as long as the one in the Space."""
    at = redis_client().zscore(keys.SOUNDED.format(space=space), str(participant))
    return at is not None and at >= since.timestamp()


def left(space: object, participant: object) -> None:
    """Take somebody out of the line after commit: they are out of the Space."""
    transaction.on_commit(lambda: drop(space, participant), robust=True)


def ended(space: object) -> None:
    """Forget the line after commit: there is nothing to wait for any more."""
    names = _keys(space, keys.LINE, keys.CALLED, keys.TOLD, keys.SOUNDED)
    transaction.on_commit(lambda: redis_client().delete(*names), robust=True)


def drop(space: object, participant: object) -> None:
    """Take somebody out of the line at once; nothing happens where he is in none."""
    with redis_client().pipeline(transaction=False) as pipe:
        _drop(pipe, space, participant)
        pipe.execute()


def _drop(pipe: Any, space: object, participant: object) -> None:
    line, called, told = _keys(space, keys.LINE, keys.CALLED, keys.TOLD)
    pipe.zrem(line, str(participant)).zrem(called, str(participant)).hdel(told, str(participant))


def advance(space: object, room: int, here: set[str]) -> dict[str, int]:
    """Call those who come next, as many as there is `room` for; who is to be told which place, 0 for his turn.

    `here` are those who are connected. Whoever was called and did not come goes to the end of the line."""
    line, called = _keys(space, keys.LINE, keys.CALLED)
    client, now = redis_client(), time.time()
    for late in client.zrangebyscore(called, "-inf", now):
        _call_off(space, late, late in here)
    under_way = set(client.zrange(called, 0, -1))
    waiting = [who for who in client.zrange(line, 0, -1) if who not in under_way]
    free = max(0, min(room - len(under_way), MOST_CALLED))
    going = [who for who in waiting if who in here][:free]
    if going:
        client.zadd(called, dict.fromkeys(going, now + CALL_SECONDS))
        client.expire(called, LIFE_SECONDS)
    staying = [who for who in waiting if who not in going]
    return dict.fromkeys(going, 0) | _to_tell(space, staying, here)


def _call_off(space: object, participant: str, is_here: bool) -> None:
    line, called = _keys(space, keys.LINE, keys.CALLED)
    client = redis_client()
    client.zrem(called, participant)
    if is_here:
        client.zadd(line, {participant: client.incr(keys.TICKETS)}, xx=True)


def _to_tell(space: object, staying: list[str], here: set[str]) -> dict[str, int]:
    """Whose place has changed since he was told, the first ones first."""
    told = redis_client().hgetall(keys.TOLD.format(space=space))
    places = {who: place for place, who in enumerate(staying, 1) if who in here and told.get(who) != str(place)}
    first = dict(list(places.items())[:MOST_TOLD])
    if first:
        _note_told(space, first)
    return first
