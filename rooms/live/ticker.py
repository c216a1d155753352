"""What a web process does for a Space while it has connections to it: renew leases, send sums, call the queue.

Reactions leave three times a second, and who came and left at every second beat. Both leave less often in a Space with
thousands of people. Once a second members who wait for a place in the sound are called, as many as there are free
places. Leases are renewed every ten seconds.

Several processes share a Space. The process that takes a sum out of Redis, in one transaction, sends it. The others
leave that sum alone until the next one is due.
"""

import asyncio

import msgspec
import structlog

from rooms import events, protocol
from rooms.live import presence
from rooms.live.snapshot import FACES
from rooms.loops import PerLoop, database
from rooms.models import Space
from rooms.nodes import placement
from rooms.protocol import parts
from rooms.store import keys, queue
from rooms.store.client import async_redis_client

BEAT_SECONDS = 0.34
RENEW_BEATS = 30
QUEUE_BEATS, QUEUE_SECONDS = 3, 0.9
MOST_FRAMES = 1000  # per second, of one kind of sum over all connections: more would hold up other frames
MOST_SECONDS = 5.0  # between two sums, however many are connected

log = structlog.get_logger(__name__)


class Ticker:
    """The periodic work for one Space in one process."""

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
            except Exception:  # a short failure of Redis or the database must not end the ticker
                log.exception("ticker_failed", space=self.space_id)

    async def _beat(self, beat: int) -> None:
        await self._send_reactions()
        if beat % 2 == 0:
            await self._send_audience()
        if beat % QUEUE_BEATS == 0:
            await self._call_next()
        if beat % RENEW_BEATS == 0:
            await presence.renew(self.space_id, self.connections)

    async def _send_reactions(self) -> None:
        key = keys.REACTIONS.format(space=self.space_id)
        if not await _is_due(key, await pace(self.space_id, 1 / 3)):
            return
        async with async_redis_client().pipeline(transaction=True) as pipe:
            counts, _ = await pipe.hgetall(key).delete(key).execute()
        if counts:
            numbers = {emoji: int(count) for emoji, count in counts.items()}
            await events.hint(self.space_id, protocol.Reactions(counts=numbers))

    async def _send_audience(self) -> None:
        key = keys.AUDIENCE.format(space=self.space_id)
        if not await _is_due(key, await pace(self.space_id, 1 / 2)):
            return
        async with async_redis_client().pipeline(transaction=True) as pipe:
            notes, _ = await pipe.lrange(key, 0, -1).delete(key).execute()
        if notes:
            listeners = await _count(self.space_id)
            await events.hint(self.space_id, _audience(notes, listeners))

    async def _call_next(self) -> None:
        key = keys.QUEUE.format(space=self.space_id)
        if not await async_redis_client().exists(key) or not await _is_due(key, QUEUE_SECONDS):
            return
        for participant, place in (await _next_places(self.space_id)).items():
            await events.hint_to(participant, protocol.Waiting(place=place))

    def stop(self) -> None:
        self._task.cancel()


async def pace(space_id: str, shortest: float) -> float:
    """Seconds between two sums: `shortest`, or more if that would be more than MOST_FRAMES."""
    connections = await async_redis_client().zcard(keys.PRESENCE.format(space=space_id))
    return max(shortest, min(connections / MOST_FRAMES, MOST_SECONDS))


async def _is_due(key: str, seconds: float) -> bool:
    """Whether no process has sent the sum under this key within the last `seconds`."""
    return bool(await async_redis_client().set(keys.SENT.format(key=key), 1, nx=True, px=round(seconds * 1000)))


def _audience(notes: list[str], listeners: int) -> protocol.Audience:
    """The sum of the notes. Of each person the last note counts. A large audience gets numbers only."""
    last: dict[str, parts.Person | None] = {}
    for note in (msgspec.json.decode(note, type=events.AudienceNote) for note in notes):
        last[note.entered.participant if note.entered else note.left] = note.entered
    shown = last if listeners <= FACES else {}
    return protocol.Audience(
        listeners=listeners,
        entered=[person for person in shown.values() if person],
        left=[participant for participant, person in shown.items() if not person],
    )


@database
def _next_places(space_id: str) -> dict[str, int]:
    space = Space.objects.get(pk=space_id)
    return queue.call_next(space_id, placement.free_places(space), presence.connected_now(space_id))


@database
def _count(space_id: str) -> int:
    return Space.objects.get(pk=space_id).listener_count


_tickers: PerLoop[dict[str, Ticker]] = PerLoop(dict)


def connect(space_id: str, participant: str, connection: str) -> None:
    """Renew the lease of a connection, which `presence.enter` wrote, until `disconnect`."""
    tickers = _tickers.get()
    if space_id not in tickers:
        tickers[space_id] = Ticker(space_id)
    tickers[space_id].connections.add(f"{participant}:{connection}")


async def disconnect(space_id: str, participant: str, connection: str) -> None:
    """End the lease of a connection that is gone."""
    tickers = _tickers.get()
    ticker = tickers.get(space_id)
    if ticker is not None:
        ticker.connections.discard(f"{participant}:{connection}")
        if not ticker.connections:
            tickers.pop(space_id).stop()
    await presence.drop(space_id, participant, connection)
