"""HLS listeners: each has a socket to the site and a connection to nginx, and acts as the page does.

A listener begins with the last segments that have 3.5 s of sound, plays them at once, and fetches every further one. A
segment that is not there in time is *missed*. The delay is the time between a sample and its playing.
"""

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from bench.rig.machine import Failed, say
from rooms.media.hls.playlist import TARGET_SECONDS, Playlist, parse

ENOUGH = 3.5  # seconds, as in rooms/static/rooms/hls/loader.js
AFTER_NEW, AFTER_NOTHING = 1.9, 0.5
ENTER_AT_ONCE = 16
SAY_EVERY = 500  # members
WAIT_SECONDS = 60.0
TRIES = 5  # to enter, as the page does


class Wire(asyncio.Protocol):
    """One persistent connection: a GET, its answer, the next GET."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._data += data
        head = self._data.find(b"\r\n\r\n")
        if head < 0 or self._answer is None:
            return
        at = self._data.index(b"Content-Length: ") + 16
        end = head + 4 + int(self._data[at : self._data.index(b"\r", at)])
        if len(self._data) >= end:
            answer, self._answer = self._answer, None
            status, body = int(self._data[9:12]), bytes(self._data[head + 4 : end])
            del self._data[:end]
            answer.set_result((status, body))

    def connection_lost(self, error: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error or ConnectionResetError("closed by the server"))

    async def get(self, path: str) -> tuple[int, bytes]:
        """Fetch a path. Returns status and body."""
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        return await self._answer

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


@dataclass
class Listener:
    """One member: the addresses from the site, the segments fetched, and how late the sound is."""

    cookie: str
    base: str = ""
    last: int = -1
    zero: float = 0.0  # Unix time of the sound that is played, minus the time of playing
    fetched: int = 0
    missed: int = 0
    refused: int = 0
    renewed: int = 0
    arrived: "asyncio.Event" = field(default_factory=asyncio.Event)
    socket: "aiohttp.ClientWebSocketResponse | None" = None

    @property
    def delay(self) -> float:
        """The seconds between speaking and hearing."""
        return -self.zero

    async def enter(self, session: aiohttp.ClientSession, url: str, space: str) -> None:
        """Open the socket and wait for the snapshot."""
        address = f"{url.replace('http', 'ws', 1)}/ws/spaces/{space}/"
        headers = {"Origin": url, "Cookie": self.cookie}
        for left in reversed(range(TRIES)):
            try:
                self.socket = await session.ws_connect(address, headers=headers, compress=0)
                await self.socket.receive(timeout=WAIT_SECONDS)
                return
            except (aiohttp.ClientError, TimeoutError) as error:  # daphne gives a handshake five seconds
                if not left:
                    raise Failed(f"a member cannot enter: {error}") from None

    async def read(self) -> None:
        """Take the frames of the socket as they come."""
        assert self.socket is not None
        async for message in self.socket:
            if message.type == aiohttp.WSMsgType.TEXT and '"type":"files"' in message.data:
                frame = json.loads(message.data)
                self.base = f"/hls/{frame['signed']}/{frame['folder']}/"
                self.renewed += 1
                self.arrived.set()

    async def hear(self, port: int) -> None:
        """Ask for the files, and play them until cancelled."""
        assert self.socket is not None
        await self.socket.send_str('{"type":"hear","files":true,"id":1}')
        await asyncio.wait_for(self.arrived.wait(), WAIT_SECONDS)
        _, wire = await asyncio.get_running_loop().create_connection(Wire, "127.0.0.1", port)
        try:
            while True:  # noqa: ASYNC110 -- as the page does: nothing announces a new segment
                await asyncio.sleep(AFTER_NEW if await self._look(wire) else AFTER_NOTHING)
        finally:
            wire.close()

    async def _look(self, wire: Wire) -> bool:
        status, body = await wire.get(f"{self.base}opus.m3u8")
        if status != 200:
            self.refused += status != 404
            return False
        playlist = parse(body.decode())
        fresh = self._fresh(playlist)
        for number, segment in fresh:
            status, _ = await wire.get(self.base + segment.name)
            self._play(number, segment.at, status == 200)
        return bool(fresh)

    def _fresh(self, playlist: Playlist) -> list[tuple[int, Any]]:
        numbered = list(enumerate(playlist.segments, playlist.sequence))
        if self.last >= 0:
            return [one for one in numbered if one[0] > self.last]
        for count in range(1, len(numbered) + 1):
            if sum(segment.seconds for _, segment in numbered[-count:]) >= ENOUGH:
                return numbered[-count:]
        return []

    def _play(self, number: int, at: float, whole: bool) -> None:
        now = time.time()
        if self.last < 0:
            self.zero = at - now
        late = now > at - self.zero
        self.missed += (number - self.last - 1 if self.last >= 0 else 0) + (not whole or (late and self.last >= 0))
        self.fetched += 1
        self.last = number

    def forget(self) -> None:
        """Reset all counts."""
        self.fetched = self.missed = self.refused = self.renewed = 0

    def unheard(self, seconds: float) -> int:
        """How many segments were missed in `seconds`: they were late, or gone, or never asked for."""
        due = int(seconds / TARGET_SECONDS) - 1
        return max(self.missed, due - self.fetched)


class Audience:
    """Many listeners at one site."""

    def __init__(self, url: str, space: str, cookies: list[str]) -> None:
        self.url, self.space = url, space
        self.listeners = [Listener(cookie) for cookie in cookies]
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "Audience":
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._session.close()

    async def enter(self) -> None:
        """Let all enter the Space, ENTER_AT_ONCE at a time."""
        places, start, inside = asyncio.Semaphore(ENTER_AT_ONCE), time.monotonic(), 0

        async def one(listener: Listener) -> None:
            nonlocal inside
            async with places:
                await listener.enter(self._session, self.url, self.space)
                self._tasks.append(asyncio.create_task(listener.read()))
                inside += 1
                if inside % SAY_EVERY == 0:
                    say(f"{inside} of {len(self.listeners)} are in after {time.monotonic() - start:.0f} s")

        await asyncio.gather(*(one(listener) for listener in self.listeners))

    async def hear(self, port: int, seconds: float) -> None:
        """Let all begin to play, evenly spread over `seconds`."""
        for listener in self.listeners:
            self._tasks.append(asyncio.create_task(listener.hear(port)))
            await asyncio.sleep(seconds / len(self.listeners))

    async def until_heard(self, seconds: float) -> None:
        """Wait until all play, at most `seconds`, then check."""
        until = time.monotonic() + seconds
        while any(listener.last < 0 for listener in self.listeners) and time.monotonic() < until:  # noqa: ASYNC110
            await asyncio.sleep(0.5)
        self.check()

    def check(self) -> None:
        """Raise Failed if a listener does not play, or has ended."""
        silent = sum(listener.last < 0 for listener in self.listeners)
        if silent:
            raise Failed(f"{silent} of {len(self.listeners)} listeners hear nothing")
        for task in self._tasks:
            if task.done():
                raise Failed(f"a listener has ended: {task.exception() or 'its socket was closed'}")

    def forget(self) -> None:
        """Reset all counts."""
        for listener in self.listeners:
            listener.forget()
