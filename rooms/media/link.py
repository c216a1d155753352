"""A node's link to Redis: its heartbeat out, the standings of its Spaces in.

Redis is a hint that may fail at any time: the sound goes on with what was last known, and everything is read again.
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
AT_ONCE = 50  # standings in one request: one for each costs a core 2 % for 100 Spaces, all of them hold up a tick
RETRY_SECONDS = 0.5
MISSING_SECONDS = 60.0  # Redis may have lost a standing; the web side writes those of live Spaces every 30 s

# Writes a heartbeat, or another one where Redis does not know the last one any more; gives 1 where it does.
_BEAT = """
local known = redis.call('EXISTS', KEYS[1])
redis.call('SET', KEYS[1], ARGV[2 - known], 'PX', ARGV[3])
return known
"""


class Link:
    """Keeps Redis and the engine in step. ``beat`` returns what the heartbeat says."""

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
        """Say twice a second that this node lives, until cancelled."""
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
        """Apply standings as they are published, until cancelled."""
        while True:
            try:
                async with self._redis.pubsub() as channel:
                    await channel.subscribe(standing.CHANNEL, standing.LEFT, standing.HEARD)
                    await self.reread()
                    async for message in channel.listen():
                        if message["type"] == "message":
                            await self._on_message(_text(message["channel"]), _text(message["data"]))
            except (RedisError, OSError) as error:
                log.warning("no standings, Redis cannot be reached: %s", error)
                await asyncio.sleep(RETRY_SECONDS)

    async def run_rereading(self) -> None:
        """Read the standings of all Spaces here again and again, until cancelled: a publication may get lost."""
        while True:
            await asyncio.sleep(REREAD_SECONDS)
            try:
                await self.reread()
            except (RedisError, OSError) as error:
                log.warning("standings not read, Redis cannot be reached: %s", error)

    async def goodbye(self) -> None:
        """Take the heartbeat back, so that nothing more is placed here, and the name, since this is no death."""
        try:
            async with asyncio.timeout(0.5), self._redis.pipeline(transaction=False) as pipe:
                await pipe.delete(self._key).zrem(heartbeat.NAMES, self._name).execute()
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("the heartbeat stays for %d ms: %s", heartbeat.LIFE_MS, error)

    async def _on_message(self, channel: str, text: str) -> None:
        space, _, rest = text.partition(" ")
        if channel == standing.LEFT:
            self._engine.leave(space, rest)
        elif channel == standing.HEARD:
            await self._on_heard(space, rest)
        else:
            await self._on_published(space, rest)

    async def _on_published(self, name: str, version: str) -> None:
        space = self._engine.spaces.get(name)
        if space is None or (version.isdigit() and int(version) <= space.standing.version):
            return
        await self.read(name)

    async def _on_heard(self, space: str, boot: str) -> None:
        """Somebody hears the files of a Space, which this start of a node is to write."""
        here = self._engine.spaces.get(space)
        if boot == self._boot if here is None else boot != here.standing.boot:
            await self.read(space)  # it may have moved, and two nodes shall not write at once, nor none
        self._engine.write_files(space, boot)

    async def reread(self) -> None:
        """Read the standings of all Spaces that are on this node."""
        for names in batched(self._engine.spaces):
            await self.read(*names)

    async def read(self, *names: str, early: bool = False) -> None:
        """Read standings, bring those into effect that are newer, and say which ones are.

        ``early``: Spaces are opened here also while they are placed elsewhere, since they are about to come."""
        found = await self._redis.mget([standing.KEY.format(space=name) for name in names])
        taken = [self._take(name, data, early) for name, data in zip(names, found, strict=True)]
        await self._acknowledge([current for current in taken if current is not None and self._answers_for(current)])
        for space in [self._engine.spaces[name] for name in names if name in self._engine.spaces]:
            if space.files_belong_to:  # the web side says so every two seconds only, and that would be missing
                await self._redis.publish(standing.HEARD, f"{space.space} {space.files_belong_to}")

    def _answers_for(self, current: standing.Standing) -> bool:
        """Whether it is this node whose word counts: while a Space moves, two have it."""
        return current.places_on(self._boot)

    def _take(self, name: str, data: bytes | None, early: bool) -> standing.Standing | None:
        """Bring a standing into effect if it is newer; None where it says nothing of a Space here."""
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
        except Exception:  # a fault of ours in one Space must not keep all others from being told of a mute
            log.exception("standing of %s is not in effect", name)
            return None
        return current

    async def _acknowledge(self, taken: Sequence[standing.Standing]) -> None:
        """Say what is in effect. Everybody is told only where Redis did not know."""
        said: list[tuple[str, int]] = []
        async with self._redis.pipeline(transaction=False) as pipe:
            for current in taken:
                space = self._engine.spaces.get(current.space)
                version = space.standing.version if space else current.version
                lifetime: dict[str, Any] = {"keepttl": True} if space else {"ex": standing.ENDED_SECONDS}
                pipe.set(standing.ACK_KEY.format(space=current.space), version, get=True, **lifetime)
                said.append((current.space, version))
            known = await pipe.execute()
        for (name, version), before in zip(said, known, strict=True):
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
    """The names as they are now, at most AT_ONCE of them together."""
    rest = iter(list(names))
    while batch := list(itertools.islice(rest, AT_ONCE)):
        yield batch


def _text(data: bytes | str) -> str:
    return data.decode() if isinstance(data, bytes) else data
