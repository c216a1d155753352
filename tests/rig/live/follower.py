"""A person in a Space who follows its sound as a page does, and notes which voices sound when."""

import asyncio
import itertools
import random
import time
from contextlib import suppress
from typing import Any

import msgspec

from rooms.media.client.peer import Client, Crowd
from rooms.media.network.rtp import RtpPacket
from tests.rig.live.page import Page
from tests.rig.live.stalls import Stalls, longest_silence
from tests.rig.sound.measures import strength

AUDIBLE = 0.01  # of full scale
FRAME_SECONDS = 60
DIAL_SECONDS = 0.3  # until the next try, if an offer is not answered


class NotAnswered(Exception):
    """An offer that was refused; the text is the code."""


class Ear(Client):
    """A peer that keeps the arrival and the content of each packet."""

    def __init__(self, tones: tuple[float, ...]) -> None:
        super().__init__(decode=True)
        self.boot = ""  # the one that it is connected to
        self.tones, self.notes = tones, list[tuple[float, frozenset[float]]]()

    def _on_packet(self, packet: RtpPacket, sequence: int, now: float) -> None:
        assert self._decoder is not None
        sound = self._decoder.decode(packet.payload)
        heard = frozenset(tone for tone in self.tones if strength(sound, tone) > AUDIBLE)
        self.notes.append((time.monotonic(), heard))


class Follower:
    """A page with its sound. `voice` are the packets that its microphone sends, none for a listener."""

    def __init__(self, page: Page, crowd: Crowd, tones: tuple[float, ...], voice: tuple[bytes, ...] = ()) -> None:
        self.page, self.crowd, self.tones, self.voice = page, crowd, tones, voice
        self.notes: list[tuple[float, frozenset[float]]] = []  # of what was heard before
        self.boots: list[str] = []  # that were connected to
        self.waiting: list[int] = []  # the places in the queue that it was sent
        self.is_live = self._is_moving = False
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._ids = itertools.count(100)
        self._next: Ear | None = None
        self._old: Ear | None = None
        self._tasks = [asyncio.create_task(self._read())]

    async def connect(self) -> None:
        """Connect the sound, both ways."""
        self.ear = await self._dial()
        self._hold()

    async def offer(self, client: Client) -> dict[str, Any]:
        """Send an offer. Returns the frame that answers it."""
        return await self._ask(sdp=client.offer())

    async def restart(self) -> dict[str, Any]:
        """Give the connection that is heard new ICE credentials. Returns the frame that answers."""
        return await self._ask(sdp=self.ear.restart(), restart=True, boot=self.ear.boot)

    async def _ask(self, **offer: Any) -> dict[str, Any]:
        number = next(self._ids)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self.page.send(type="offer", id=number, **offer)
        return await asyncio.wait_for(answer, FRAME_SECONDS)

    async def _dial(self) -> Ear:
        ear = Ear(self.tones)
        self.crowd.add(ear)
        answer = await self.offer(ear)
        if answer["type"] == "error":
            raise NotAnswered(answer["code"])
        ear.boot = answer["boot"]
        self.boots.append(ear.boot)
        ear.accept(answer["sdp"])
        await ear.connected()
        ear.speak(self.voice)
        await ear.sounding()
        return ear

    async def _read(self) -> None:
        while True:
            frame = msgspec.json.decode(await self.page.socket.receive_from(timeout=FRAME_SECONDS))
            if frame["type"] in ("answer", "error") and frame["re"] in self._answers:
                self._answers.pop(frame["re"]).set_result(frame)
            elif frame["type"] == "sound_moving":
                self._tasks.append(asyncio.create_task(self._move(**frame)))
            elif frame["type"] == "sound_moved":
                self._tasks.append(asyncio.create_task(self._renew(frame["boot"])))
            elif frame["type"] == "waiting":
                self.waiting.append(frame["place"])

    async def _move(self, boot: str, step: str, within: float, **_: Any) -> None:
        """Take one step. A page that is not connected to the boot before is on the new one, or gets there."""
        if not self._is_moving and (not self.is_live or self.ear.boot == boot):
            return
        self._is_moving = step != "over"
        if step == "stage" and self.voice:
            self._next = await self._dial()
        elif step == "all":
            if not self.voice:
                await asyncio.sleep(random.random() * within)
            self._switch(self._next or await self._dial())
            if not self.voice:
                await self._drop()
        elif step == "over":
            await (self._drop() if self.ear.boot == boot else self._renew(boot))

    async def _renew(self, boot: str) -> None:
        """Keep one connection, to this boot, and end any move under way."""
        spare, self._next = self._next, None
        self._is_moving = False
        await self._drop()
        if self.ear.boot != boot:
            self._switch(await self._dial())
            await self._drop()
        if spare is not None:
            await spare.close()

    def _switch(self, ear: Ear) -> None:
        now = time.monotonic()
        self.notes += self.ear.notes
        ear.notes = [note for note in ear.notes if note[0] >= now]
        self._old, self.ear, self._next = self.ear, ear, None
        self._hold()

    def _hold(self) -> None:
        self.is_live = True
        self._tasks.append(asyncio.create_task(self._watch(self.ear)))

    async def _watch(self, ear: Ear) -> None:
        """Connect again and again after the node has given the connection up."""
        await ear.gone.wait()
        if ear is self.ear:
            self.is_live = False
            self._switch(await self._dial_until_answered())
            await self._drop()

    async def _dial_until_answered(self) -> Ear:
        while True:
            with suppress(NotAnswered):
                return await self._dial()
            await asyncio.sleep(DIAL_SECONDS)

    async def _drop(self) -> None:
        if self._old is not None:
            old, self._old = self._old, None
            await old.close()

    def silence(self, tone: float, since: float, stalls: Stalls) -> tuple[float, float]:
        """The longest time without this voice since `since`, without stalls, and the stalls in it. Both in seconds."""
        heard = [at for at, tones in [*self.notes, *self.ear.notes] if at >= since and tone in tones]
        return longest_silence([since, *heard, time.monotonic()], stalls)

    def problems(self) -> list[BaseException]:
        """What went wrong so far."""
        done = [task for task in self._tasks if task.done() and not task.cancelled()]
        return [error for task in done if (error := task.exception())]

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
