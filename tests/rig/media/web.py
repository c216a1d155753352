"""The web side of a whole node in real time, and a caller of its HTTP interface."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import aiohttp
import msgspec
import redis
import redis.asyncio

from rooms.media.capture.tap import Chunk
from rooms.media.client.peer import Client, Crowd
from rooms.media.contract import standing
from rooms.media.contract.grant import mint
from rooms.media.contract.hints import Hint, InEffect, Levels, PeerState
from rooms.media.contract.keys import bearer
from rooms.media.contract.standing import Standing, Voice
from rooms.media.node import Node

SECRET = "a secret of the tests"
SPACE = "7c9e6679-7425-40de-944b-e07fc1f90ae7"


class Web:
    """The web side: writes standings, collects hints and chunks."""

    def __init__(self, url: str) -> None:
        self.redis = redis.asyncio.Redis.from_url(url, decode_responses=True)
        self.acknowledgements: list[tuple[str, int]] = []
        self.states: list[tuple[str, str]] = []
        self.levels_seen: list[dict[str, int]] = []
        self.chunks: list[Chunk] = []
        self.version = 0

    async def hint(self, hint: Hint) -> None:
        match hint:
            case Levels(_, levels):
                self.levels_seen.append(levels)
            case InEffect(space, version):
                self.acknowledgements.append((space, version))
            case PeerState(_, participant, state):
                self.states.append((participant, state))

    def ship(self, chunk: Chunk) -> None:
        self.chunks.append(chunk)

    async def write(self, *voices: str, publish: bool = True, **more: Any) -> int:
        """Write the next version of the standing."""
        self.version += 1
        turns = tuple(Voice(name, f"turn-of-{name}") for name in voices)
        current = Standing(SPACE, self.version, time.time(), voices=turns, **more)
        await self.redis.set(standing.KEY.format(space=SPACE), msgspec.json.encode(current))
        if publish:
            await self.redis.publish(standing.CHANNEL, f"{SPACE} {self.version}")
        return self.version


class Caller:
    """Calls a node, with the secret or without."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.session, self.url = session, url

    async def __call__(self, method: str, path: str, secret: str = SECRET, **body: Any) -> tuple[int, dict]:
        headers = {"Authorization": bearer(secret)}
        async with self.session.request(method, self.url + path, headers=headers, json=body or None) as response:
            data = await response.read()
            return response.status, msgspec.json.decode(data) if data else {}

    async def join(self, client: Client, name: str) -> tuple[int, dict]:
        grant = mint(SECRET, SPACE, name, time.time())
        return await self("POST", f"/spaces/{SPACE}/peers", grant=grant, sdp=client.offer())

    async def connect(self, crowd: Crowd, name: str, **more: Any) -> Client:
        """Connect a peer, and wait until the node knows."""
        client = crowd.add(Client(**more))
        status, answer = await self.join(client, name)
        assert status == 200
        client.accept(answer["sdp"])
        await client.connected()
        async with asyncio.timeout(10):
            while name not in (await self("GET", f"/spaces/{SPACE}"))[1]["here"]:
                pass
        return client


Running = Callable[..., AbstractAsyncContextManager[tuple[Node, Caller]]]
