"""One member of the demonstration in one Space, connected as a browser is: websocket, offer, DTLS-SRTP."""

import asyncio
import itertools
import random
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from typing import Any, Self

import aiohttp
import msgspec
import structlog

from rooms.media.client.peer import Client, Crowd
from rooms.protocol import Close
from spaces_project.demo.bots import rows
from spaces_project.demo.bots.replica import Frame, Replica
from spaces_project.demo.speech import clips

log = structlog.get_logger(__name__)

FINAL = {Close.TAKEN_OVER, Close.REMOVED, Close.NOT_FOUND, Close.ENDED}  # no way back into this Space
ANSWER_SECONDS = 10.0
CONNECT_SECONDS = 10.0
CLOSE_SECONDS = 0.5  # for the server's goodbye
AGAIN_SECONDS = 3.0  # before the next websocket, and before the next offer
SILENT_SECONDS = 4.0  # without a packet: the sound is lost, and the bot sends an offer
LOOK_SECONDS = 0.5  # between two looks whether packets arrive


class CommandRefused(Exception):
    """The server refused a command. `code` is that of the answer."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Bot:
    """A member at `url` (http://host:port) in the Space `space`. Use as an async context: it enters and leaves."""

    def __init__(self, url: str, crowd: Crowd, session: aiohttp.ClientSession, handle: str, space: str) -> None:
        self.url, self.crowd, self.session, self.handle, self.space = url, crowd, session, handle, space
        self.replica = Replica()
        self.out = asyncio.Event()  # out of this Space for good: it ended, or the host removed the bot
        self.client: Client | None = None
        self._news = asyncio.Event()  # a frame came, or the connection changed
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._ids = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Frame]] = {}
        self._exits = AsyncExitStack()

    async def __aenter__(self) -> Self:
        for task in (self._stay, self._keep_sound):
            running = asyncio.create_task(task())
            self._exits.push_async_callback(_cancel, running)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *exception: Any) -> None:
        if kind is None:  # when the process stops, it does not wait for an answer
            await self._say_goodbye()
        await self._exits.aclose()
        self._hang_up()

    # Commands

    async def send(self, kind: str, **fields: Any) -> Frame:
        """Send a command and return its answer. Raises CommandRefused, or TimeoutError while there is no connection."""
        number = next(self._ids)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._put({"type": kind, "id": number, **fields})
                return _checked(await answer)
        finally:
            del self._answers[number]

    async def attempt(self, kind: str, **fields: Any) -> bool:
        """Send a command; whether it was carried out."""
        try:
            await self.send(kind, **fields)
        except (CommandRefused, TimeoutError):
            return False
        return True

    async def until(self, holds: Callable[[], bool], seconds: float) -> bool:
        """Wait until `holds`, as long as the bot is in the Space; whether it did within `seconds`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not holds() and not self.out.is_set():
                    self._news.clear()
                    await self._news.wait()
        return holds() and not self.out.is_set()

    async def stay(self, seconds: float) -> None:
        """Let time pass, as long as the bot is in the Space."""
        await self.until(lambda: False, seconds)

    # Speaking

    async def take_stage(self, seconds: float, text: str = "") -> bool:
        """Ask to speak, unless the bot is on the stage already; whether it is there within `seconds`."""
        await self.until(lambda: bool(self.replica.me), seconds)
        if not self.replica.mute and not await self.attempt("ask", text=text):
            return False
        return await self.until(lambda: bool(self.replica.mute), seconds)

    async def open_microphone(self) -> bool:
        """Accept the notice and open the microphone, unless the host closed it; whether it is open."""
        if self.replica.mute == "self":
            if not self.replica.notice_accepted:
                self.replica.notice_accepted = await self.attempt("accept_notice")
            await self.attempt("microphone", open=True)
            await self.until(lambda: self.replica.mute != "self", ANSWER_SECONDS)
        return self.replica.mute == "open"

    async def say(self, turn: str) -> bool:
        """Speak one turn. It breaks off when the microphone is closed; whether it was spoken to its end."""
        if not await self.open_microphone() or self.client is None:
            return False
        client, seconds = self.client, clips.seconds(turn)
        client.speak(clips.packets(turn))
        broken_off = await self.until(lambda: self.replica.mute != "open" or self.client is not client, seconds)
        client.speak(())
        return not broken_off and not self.out.is_set()

    # The websocket

    async def _stay(self) -> None:
        """Be connected until there is no way back."""
        while not self.out.is_set():
            try:
                await self._connect()
            except Exception as error:  # the site, or its database, is away for a moment
                log.warning("bot_disconnected", handle=self.handle, why=f"{type(error).__name__}: {error}")
            self._give_up_answers()
            if not self.out.is_set():
                await asyncio.sleep(AGAIN_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311

    async def _connect(self) -> None:
        address = f"{self.url.replace('http', 'ws', 1)}/ws/spaces/{self.space}/"
        headers = {"Origin": self.url, "Cookie": await rows.cookie_of(self.handle)}
        timeout = aiohttp.ClientWSTimeout(ws_close=CLOSE_SECONDS)
        async with self.session.ws_connect(address, headers=headers, timeout=timeout) as self._socket:
            async for message in self._socket:
                if message.type == aiohttp.WSMsgType.TEXT:
                    self._take(msgspec.json.decode(message.data))
            if self._socket.close_code in FINAL:
                self.out.set()
                self._news.set()

    def _give_up_answers(self) -> None:
        """The connection is gone, and no answer will come."""
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(TimeoutError("the connection is gone"))

    def _take(self, frame: Frame) -> None:
        self.replica.apply(frame)
        self._news.set()
        waiting = self._answers.get(frame.get("re") or 0)
        if waiting is not None and not waiting.done():
            waiting.set_result(frame)
        if frame["type"] == "sound_moved":
            self._hang_up()

    async def _put(self, frame: Frame) -> None:
        if self._socket is None or self._socket.closed:
            raise TimeoutError("there is no connection")
        with suppress(aiohttp.ClientError, OSError):
            await self._socket.send_str(msgspec.json.encode(frame).decode())

    async def _say_goodbye(self) -> None:
        """Send `leave`, so that the others see it at once."""
        if not self.out.is_set():
            await self.attempt("leave")

    # The sound

    async def _keep_sound(self) -> None:
        """Have a connection to the node that brings packets, and a new one after it is lost."""
        while not self.out.is_set():
            if self.replica.me and not self._is_sounding():
                try:
                    await self._dial()
                except (CommandRefused, TimeoutError, ValueError, OSError):
                    self._hang_up()
                    await asyncio.sleep(AGAIN_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311
            await asyncio.sleep(LOOK_SECONDS)
        self._hang_up()

    def _is_sounding(self) -> bool:
        if self.client is None or self.client.gone.is_set():
            return False
        last = self.client.received.last_at
        return last is not None and time.monotonic() - last < SILENT_SECONDS

    async def _dial(self) -> None:
        """Offer, answer, checks, handshake, and the first packet of sound."""
        self._hang_up()
        client = self.crowd.add(Client())
        self.client = client
        client.accept((await self.send("offer", sdp=client.offer()))["sdp"])
        await client.connected(CONNECT_SECONDS)
        await client.sounding(CONNECT_SECONDS)

    def _hang_up(self) -> None:
        if self.client is not None:
            self.crowd.remove(self.client)
            self.client = None
            self._news.set()


def _checked(answer: Frame) -> Frame:
    if answer["type"] == "error":
        raise CommandRefused(answer["code"])
    return answer


async def _cancel(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
