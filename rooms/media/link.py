"""A node's link to Redis: heartbeats out, standings of its Spaces in.

Redis may fail at any time. The sound goes on with the standings that are in effect, and all are read again.
"""

import asyncio
import itertools
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import msgspec
import redis.asyncio
from redis.exceptions import RedisError

from rooms.media.contract import heartbeat, standing
from rooms.media.contract.hints import InEffect
from rooms.media.engine import Engine

log = logging.getLogger(__name__)

REREAD_SECONDS = 2.0
AT_ONCE = 50  # standings per request: single requests cost 2 % of a core per 100 Spaces, one for all delays a tick
RETRY_SECONDS = 0.5
MISSING_SECONDS = 60.0  # before a Space without a standing is closed; the web side rewrites standings every 30 s

# Write the first heartbeat if Redis has the one before, else the second. Return 1 if it had.
_BEAT = """
local known = redis.call('EXISTS', KEYS[1])
redis.call('SET', KEYS[1], ARGV[2 - known], 'PX', ARGV[3])
return known
"""


class Link:
    """Keeps Redis and the engine in step. `beat` returns the current heartbeat."""

    def __init__(
        self,
        engine: Engine,
        client: redis.asyncio.Redis,
        beat: Callable[[], heartbeat.Beat],
    ) -> None:
        self._engine, self._redis, self._beat = engine, client, beat
        self._name, self._boot = engine.settings.name, engine.boot
        self._key = heartbeat.KEY.format(name=self._name)
        self._missing_since: dict[str, float] = {}
        self._steady_since = time.monotonic()

    async def run_heartbeat(self) -> None:
        """Send two heartbeats a second until cancelled."""
        while True:
            try:
                await self._say_alive(time.time())
            except (RedisError, OSError) as error:
                log.warning("no heartbeat, Redis cannot be reached: %s", error)
            await asyncio.sleep(heartbeat.SECONDS)

    async def _say_alive(self, now: float) -> None:
        beat, started = self._beat(), time.monotonic()
        steady = msgspec.structs.replace(beat, steady=round(started - self._steady_since, 1))
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.eval(_BEAT, 1, self._key, *map(msgspec.json.encode, (steady, beat)), heartbeat.LIFE_MS)
            pipe.zadd(heartbeat.NAMES, {self._name: now})
            pipe.zremrangebyscore(heartbeat.NAMES, "-inf", now - heartbeat.FORGOTTEN_SECONDS)
            is_known, *_ = await pipe.execute()
        if not is_known:
            self._steady_since = started

    async def run_standings(self) -> None:
        """Apply standings when they are published, until cancelled."""
        while True:
            try:
                async with self._redis.pubsub() as channel:
                    await channel.subscribe(standing.CHANNEL, standing.LEFT, standing.FILES)
                    await self.reread()
                    async for message in channel.listen():
                        if message["type"] == "message":
                            await self._on_message(_text(message["channel"]), message["data"])
            except (RedisError, OSError) as error:
                log.warning("no standings, Redis cannot be reached: %s", error)
                await asyncio.sleep(RETRY_SECONDS)

    async def run_rereading(self) -> None:
        """Read the standings of all Spaces here repeatedly until cancelled: a publication may get lost."""
        while True:
            await asyncio.sleep(REREAD_SECONDS)
            try:
                await self.reread()
            except (RedisError, OSError) as error:
                log.warning("standings not read, Redis cannot be reached: %s", error)

    async def goodbye(self) -> None:
        """Delete the heartbeat, so that no Space is placed here, and the name, so that the node does not look lost."""
        try:
            async with asyncio.timeout(0.5), self._redis.pipeline(transaction=False) as pipe:
                await pipe.delete(self._key).zrem(heartbeat.NAMES, self._name).execute()
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("the heartbeat stays for %d ms: %s", heartbeat.LIFE_MS, error)

    async def _on_message(self, channel: str, data: bytes | str) -> None:
        try:
            note = standing.parse_note(data)
        except ValueError as error:
            log.error("publication on %s is malformed: %s", channel, error)
            return
        if channel == standing.LEFT:
            self._engine.leave(note.space, note.about)
        elif channel == standing.FILES:
            await self._on_files(note.space, note.about)
        else:
            await self._on_published(note.space, note.about)

    async def _on_published(self, name: str, version: str) -> None:
        space = self._engine.spaces.get(name)
        if space is None or (version.isdecimal() and int(version) <= space.standing.version):
            return
        await self.read(name)

    async def _on_files(self, space: str, boot: str) -> None:
        """Write the files of a Space if `boot` is this boot, else leave them to that one."""
        here = self._engine.spaces.get(space)
        if boot == self._boot if here is None else boot != here.standing.boot:
            await self.read(space)  # it may have moved: exactly one node is to write
        self._engine.write_files(space, boot)

    async def reread(self) -> None:
        """Read the standings of all Spaces on this node."""
        for names in batched(self._engine.spaces):
            await self.read(*names)

    async def read(self, *names: str, early: bool = False) -> None:
        """Read standings, bring newer ones into effect and acknowledge them.

        `early`: also open Spaces that are still placed elsewhere, because they are about to come.
        """
        found = await self._redis.mget([standing.KEY.format(space=name) for name in names])
        taken = [self._take(name, data, early) for name, data in zip(names, found, strict=True)]
        await self._acknowledge([current for current in taken if current is not None and self._answers_for(current)])
        for space in [self._engine.spaces[name] for name in names if name in self._engine.spaces]:
            if space.files_belong_to:  # the web side would tell the next node only after up to two seconds
                await self._redis.publish(standing.FILES, str(standing.Note(space.space, space.files_belong_to)))

    def _answers_for(self, current: standing.Standing) -> bool:
        """Whether this node acknowledges the standing. While a Space moves, two nodes have it."""
        return current.places_on(self._boot)

    def _take(self, name: str, data: bytes | None, early: bool) -> standing.Standing | None:
        """Bring a standing into effect if it is newer. Returns None if it concerns no Space here."""
        if data is None:
            self._on_missing(name)
            return None
        self._missing_since.pop(name, None)
        try:
            current = standing.parse(data)
        except ValueError as error:
            log.error("standing of %s is malformed: %s", name, error)
            return None
        opens = not current.ended and (early or current.places_on(self._boot))
        if name not in self._engine.spaces and not opens:
            return None
        try:
            self._engine.apply(current)
        except Exception:  # a fault of ours in one Space must not keep mutes from all others
            log.exception("standing of %s is not in effect", name)
            return None
        return current

    async def _acknowledge(self, taken: Sequence[standing.Standing]) -> None:
        """Write which versions are in effect. Hint at those that Redis did not know."""
        written: list[tuple[str, int]] = []
        async with self._redis.pipeline(transaction=False) as pipe:
            for current in taken:
                space = self._engine.spaces.get(current.space)
                version = space.standing.version if space else current.version
                lifetime: dict[str, Any] = {"keepttl": True} if space else {"ex": standing.ENDED_SECONDS}
                pipe.set(standing.ACK_KEY.format(space=current.space), version, get=True, **lifetime)
                written.append((current.space, version))
            known = await pipe.execute()
        for (name, version), before in zip(written, known, strict=True):
            if before is None or int(before) != version:
                self._engine.outputs.hint(InEffect(name, version))

    def _on_missing(self, name: str) -> None:
        if name not in self._engine.spaces:
            return
        since = self._missing_since.setdefault(name, time.monotonic())
        if time.monotonic() - since > MISSING_SECONDS:
            del self._missing_since[name]
            self._engine.close(name)


def batched(names: Iterable[str]) -> Iterator[list[str]]:
    """Yield the names as they are now, at most AT_ONCE at a time."""
    rest = iter(list(names))
    while batch := list(itertools.islice(rest, AT_ONCE)):
        yield batch


def _text(data: bytes | str) -> str:
    return data.decode() if isinstance(data, bytes) else data
