"""What a web process does for a Space while it has connections to it: renew leases, send what is summed.

Reactions leave three times a second, coming and going at every second beat, leases are renewed every ten seconds.
Several processes share a Space: whoever takes a sum out of Redis, in one transaction, sends it.
"""

import asyncio
import time
from collections import Counter

import msgspec
import structlog

from rooms import events, store
from rooms.models import Space
from rooms.threads import database

BEAT_SECONDS = 0.34
LEASE_SECONDS = 30
RENEW_BEATS = 30
FACES = 100  # rooms with more listeners are told numbers only

log = structlog.get_logger(__name__)


class Pulse:
    """The beat of one Space in one process."""

    def __init__(self, space_id: str) -> None:
        self.space_id = space_id
        self.connections: set[str] = set()
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        beat = 0
        while self.connections or beat == 0:
            await asyncio.sleep(BEAT_SECONDS)
            beat += 1
            try:
                await self._beat(beat)
            except Exception:  # a blip of Redis or the database must not end the beat
                log.exception("pulse_failed", space=self.space_id)

    async def _beat(self, beat: int) -> None:
        await self._send_reactions()
        if beat % 2 == 0:
            await self._send_audience()
        if beat % RENEW_BEATS == 0:
            await renew(self.space_id, self.connections)

    async def _send_reactions(self) -> None:
        key = store.REACTIONS.format(space=self.space_id)
        async with store.async_client().pipeline(transaction=True) as pipe:
            counts, _ = await pipe.hgetall(key).delete(key).execute()
        if counts:
            numbers = {emoji: int(count) for emoji, count in counts.items()}
            await events.hint(self.space_id, {"type": "reactions", "counts": numbers})

    async def _send_audience(self) -> None:
        key = store.AUDIENCE.format(space=self.space_id)
        async with store.async_client().pipeline(transaction=True) as pipe:
            notes, _ = await pipe.lrange(key, 0, -1).delete(key).execute()
        if notes:
            listeners = await _count(self.space_id)
            await events.hint(self.space_id, _audience(notes, listeners))

    def stop(self) -> None:
        self._task.cancel()


def _audience(notes: list[str], listeners: int) -> dict[str, object]:
    """The sum of the notes: who is in, who is out, each person as the last note says."""
    last: dict[str, object] = {}
    for note in map(msgspec.json.decode, notes):
        person = note["entered"]
        last[person["participant"] if person else note["left"]] = person
    told = last if listeners <= FACES else {}
    entered = [person for person in told.values() if person]
    return {
        "type": "audience",
        "listeners": listeners,
        "entered": entered,
        "left": [pk for pk, person in told.items() if not person],
    }


@database
def _count(space_id: str) -> int:
    return Space.objects.get(pk=space_id).listener_count


# --- one pulse per Space and event loop ---
_pulses: dict[tuple[int, str], Pulse] = {}


async def connect(space_id: str, participant: str, connection: str) -> None:
    """Count a connection: its lease is written at once and renewed until `disconnect`."""
    member = f"{participant}:{connection}"
    key = (id(asyncio.get_running_loop()), space_id)
    if key not in _pulses:
        _pulses[key] = Pulse(space_id)
    _pulses[key].connections.add(member)
    await renew(space_id, {member})


async def disconnect(space_id: str, participant: str, connection: str) -> bool:
    """Drop a connection. True if it was the participant's last one."""
    member = f"{participant}:{connection}"
    key = (id(asyncio.get_running_loop()), space_id)
    pulse = _pulses.get(key)
    if pulse is not None:
        pulse.connections.discard(member)
        if not pulse.connections:
            _pulses.pop(key).stop()
    await store.async_client().zrem(store.PRESENCE.format(space=space_id), member)
    return participant not in await connected(space_id)


async def renew(space_id: str, members: set[str]) -> None:
    if members:
        key = store.PRESENCE.format(space=space_id)
        until = time.time() + LEASE_SECONDS
        await store.async_client().zadd(key, dict.fromkeys(members, until))
        await store.async_client().expire(key, 10 * LEASE_SECONDS)


async def connected(space_id: str) -> Counter[str]:
    """Participants with a valid lease, and with how many connections."""
    key = store.PRESENCE.format(space=space_id)
    members = await store.async_client().zrangebyscore(key, time.time(), "+inf")
    return Counter(member.partition(":")[0] for member in members)


def connected_now(space_id: object) -> set[str]:
    """The same for tasks: the participants with a valid lease."""
    members = store.client().zrangebyscore(store.PRESENCE.format(space=space_id), time.time(), "+inf")
    return {member.partition(":")[0] for member in members}
