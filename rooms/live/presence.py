"""Who is connected: a lease in Redis for each connection. The rows say who is in the Space.

The process that has the connection renews its lease (`rooms/live/ticker.py`). Leases of a killed process run out.
"""

import time
from collections import Counter
from contextlib import suppress
from typing import Any

from django.db import transaction

from accounts.models import User
from rooms.models import Participant, Space
from rooms.refusals import Refused
from rooms.store import keys
from rooms.store.client import async_redis_client, redis_client

LEASE_SECONDS = 30
REMEMBERED_SECONDS = 24 * 3600  # how long we remember whose connection this is


# Leases
async def renew(space_id: str, members: set[str]) -> None:
    """Renew the leases of these connections, `<participant>:<connection>` each."""
    if members:
        async with async_redis_client().pipeline() as pipe:
            await _lease(pipe, space_id, members).execute()


async def drop(space_id: str, participant: str, connection: str) -> None:
    """End the lease of a connection that is gone."""
    async with async_redis_client().pipeline() as pipe:
        pipe.zrem(keys.PRESENCE.format(space=space_id), f"{participant}:{connection}")
        await pipe.srem(keys.CONNECTIONS.format(participant=participant), connection).execute()


def _lease(pipe: Any, space_id: str, members: set[str]) -> Any:
    key = keys.PRESENCE.format(space=space_id)
    until = time.time() + LEASE_SECONDS
    return pipe.zadd(key, dict.fromkeys(members, until)).expire(key, 10 * LEASE_SECONDS)


async def connected(space_id: str) -> Counter[str]:
    """Participants with a valid lease, with the number of their connections."""
    key = keys.PRESENCE.format(space=space_id)
    members = await async_redis_client().zrangebyscore(key, time.time(), "+inf")
    return Counter(member.partition(":")[0] for member in members)


def connected_now(space_id: object) -> set[str]:
    """Participants with a valid lease."""
    members = redis_client().zrangebyscore(keys.PRESENCE.format(space=space_id), time.time(), "+inf")
    return {member.partition(":")[0] for member in members}


def is_connected(person: Participant) -> bool:
    """Whether this person has a valid lease, by their own leases alone: thousands may lose theirs in one moment."""
    client = redis_client()
    connections = client.smembers(keys.CONNECTIONS.format(participant=person.pk))
    if not connections:
        return False
    members = [f"{person.pk}:{connection}" for connection in connections]
    leases = client.zmscore(keys.PRESENCE.format(space=person.space_id), members)
    return any(until is not None and until > time.time() for until in leases)


# Coming and going, in a thread with the database
def enter(space_id: str, user: User, connection: str) -> Participant:
    """Let `user` in through a connection. Raises Space.DoesNotExist if they may not know of the Space.

    The lease is written with the Space locked, and `lose` looks for it with the Space locked. So the end of an old
    connection never undoes the beginning of a new one. A verb that took the right to be here away in this moment did
    not find the person in the Space yet, so the right is checked once more.
    """
    with transaction.atomic():
        person = Space(pk=space_id).enter(user)
        mine = keys.CONNECTIONS.format(participant=person.pk)
        with redis_client().pipeline() as pipe:
            pipe.sadd(mine, connection).expire(mine, REMEMBERED_SECONDS)
            _lease(pipe, space_id, {f"{person.pk}:{connection}"}).execute()
    person.recheck()
    return person


def is_latest(person: Participant) -> bool:
    """Whether this is the latest connection: this person has not entered again since `enter` returned `person`."""
    return Participant.objects.filter(pk=person.pk, connected_at=person.connected_at).exists()


def lose(person: Participant) -> None:
    """Note that this person has no connection left, unless they have one after all or the Space has ended."""
    if is_connected(person) or not Space.objects.live().filter(pk=person.space_id).exists():
        return  # without the lock, for which thousands would wait whose connections end at once
    with suppress(Refused), transaction.atomic():
        Space.locked(person.space_id)
        if not is_connected(person):
            person.lose()


def fall_silent(person: Participant) -> None:
    """Mute this person and let them leave: their session has ended. A host cannot leave, and gets the time of one."""
    for verb in (person.close_microphone, person.leave):
        with suppress(Refused):
            verb()
