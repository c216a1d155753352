"""The measured media node: `manage.py runmedia` on a core of its own, with a Redis of its own beside the rig.

The rig does what the web side does: it writes standings to Redis, signs grants, and sends offers to the node.
"""

import asyncio
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp
import msgspec
import redis

from bench.rig import machine
from bench.rig.peers import Peer
from rooms.media.contract import grant
from rooms.media.contract.health import Health
from rooms.media.contract.held import Held
from rooms.media.contract.joining import Join, Joined, Refusal
from rooms.media.contract.keys import bearer
from rooms.media.contract.standing import CHANNEL, KEY, Standing, Voice
from spaces_project.machine import embedded
from spaces_project.machine.processes import spawn, stop

CHECKOUT = Path(__file__).parents[2]
START_SECONDS = 60.0
CAPACITY = 4000  # peers
# Settings that put every listener into one group. The checkers show which packets the node really sent.
GROUP_OF_20_MS = {"MEDIA_LONG_PACKETS_ABOVE": "200"}
GROUP_OF_60_MS = {"MEDIA_LONG_PACKETS_ABOVE": "0"}


class NodeError(machine.Failed):
    """The node did not start, or refused a peer. The text is its own."""


class MediaNode:
    """A running node: `async with MediaNode() as node`. `settings` are variables of its environment."""

    def __init__(self, **settings: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="spaces-bench-")
        self._var = Path(self._folder.name)
        self._secret = secrets.token_urlsafe(32)
        self._settings = settings
        self._url = ""
        self.port = machine.free_port(socket.SOCK_DGRAM)

    @property
    def recordings(self) -> Path:
        """The folder to which the node ships its chunks."""
        return self._var / "recordings"

    @property
    def pid(self) -> int:
        """The measured process."""
        return self._process.pid

    async def __aenter__(self) -> Self:
        self._server = embedded.start_redis(self._var, durable=False)
        self._redis = redis.Redis.from_url(embedded.redis_url(self._var))
        self._process = self._spawn()
        headers = {"Authorization": bearer(self._secret)}
        self._http = aiohttp.ClientSession(headers=headers, connector=aiohttp.TCPConnector(limit=64))
        async with asyncio.timeout(START_SECONDS):
            while not self._url:
                self._find_address()
                await asyncio.sleep(0.05)
        return self

    def _spawn(self) -> "subprocess.Popen[bytes]":
        self.log = self._var / "node.log"
        own = {
            "VAR_DIR": str(self._var),
            "REDIS_URL": embedded.redis_url(self._var),
            "DATABASE_URL": "postgres://nobody@127.0.0.1/none",  # so that none is started; a node needs none
            "MEDIA_SECRET": self._secret,
            "SECRET_KEY": secrets.token_urlsafe(50),
            "MEDIA_CAPACITY": str(CAPACITY * 50 // 49 + 1),  # the last places are not for newcomers
            "MEDIA_MOST_LOAD": "1000",
            "SPACES_DEMO": "0",
        }
        command = [sys.executable, "manage.py", "runmedia", "--name", "bench"]
        command += ["--port", str(self.port), "--http-port", str(machine.free_port())]
        with machine.on_core(machine.cores()[0]), self.log.open("wb") as log:
            environment = os.environ | own | self._settings
            return spawn(command, signal.SIGTERM, cwd=CHECKOUT, env=environment, stdout=log, stderr=subprocess.STDOUT)

    def _find_address(self) -> None:
        said = self.log.read_text(errors="replace")
        if self._process.poll() is not None:
            raise NodeError(said[-500:])
        found = re.search(r"HTTP on (http://\S+)", said)
        self._url = found[1] if found else ""

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if end := machine.ended(self._process):
            machine.say(f"The node is gone: {end}")
        await self._http.close()
        self._redis.close()
        stop(self._process, (signal.SIGTERM, 5.0))
        embedded.stop_redis(self._server)
        self._folder.cleanup()

    async def health(self, seconds: float | None = None) -> Health:
        """How the node is. Its ticks are those of the last `seconds`, or all that it remembers."""
        async with self._http.get(f"{self._url}/health", params={"seconds": seconds} if seconds else None) as response:
            return msgspec.json.decode(await response.read(), type=Health)

    def open_space(self, voices: int, *, recorded: bool = True) -> "Room":
        """Write the standing of a new Space with `voices` turns at the microphone."""
        names = [str(uuid.uuid4()) for _ in range(voices)]
        turns = tuple(Voice(name, str(uuid.uuid4())) for name in names)
        standing = Standing(str(uuid.uuid4()), 1, time.time(), recorded=recorded, voices=turns)
        self._stand(standing)
        return Room(self, standing, names)

    def end_space(self, standing: Standing) -> None:
        """End a Space, so that the node ships its open chunks."""
        self._stand(msgspec.structs.replace(standing, version=standing.version + 1, ended=True))

    def _stand(self, standing: Standing) -> None:
        self._redis.set(KEY.format(space=standing.space), msgspec.json.encode(standing))
        self._redis.publish(CHANNEL, f"{standing.space} {standing.version}")

    async def join(self, space: str, participant: str, client: Peer) -> None:
        """Connect a peer. Raises NodeError if the node refuses."""
        permission = grant.mint(self._secret, space, participant, time.time())
        wish = msgspec.json.encode(Join(permission, client.offer()))
        try:
            async with self._http.post(f"{self._url}/spaces/{space}/peers", data=wish) as response:
                said, ok = await response.read(), response.ok
        except aiohttp.ClientError as error:
            await asyncio.sleep(0.2)  # its end may show a little later than that of its connections
            raise NodeError(f"the node does not answer ({error}) {machine.ended(self._process)}".strip()) from error
        if not ok:
            refusal = msgspec.json.decode(said, type=Refusal)
            raise NodeError(f"{refusal.error}: {refusal.detail}")
        client.accept(msgspec.json.decode(said, type=Joined).sdp)

    async def held(self, space: str) -> Held:
        """What the node says of a Space."""
        async with self._http.get(f"{self._url}/spaces/{space}") as response:
            return msgspec.json.decode(await response.read(), type=Held)


class Room:
    """One Space on a node. `voices` are the participants on the stage."""

    def __init__(self, node: MediaNode, standing: Standing, voices: Sequence[str]) -> None:
        self.node, self.standing, self.space, self.voices = node, standing, standing.space, voices
        self._unused = iter(voices)

    async def speak(self, client: Peer) -> None:
        """Connect a peer as the next speaker."""
        await self.node.join(self.space, next(self._unused), client)

    async def listen(self, client: Peer) -> None:
        """Connect a peer as a listener."""
        await self.node.join(self.space, str(uuid.uuid4()), client)

    def end(self) -> None:
        """End the Space."""
        self.node.end_space(self.standing)

    async def held(self) -> Held:
        """What the node says of the Space."""
        return await self.node.held(self.space)
