"""A Space that stays live: a host and their guests speak in turns, listeners react, one asks, one may heckle."""

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass

from spaces_project.demo.bots import rows
from spaces_project.demo.bots.bot import Bot
from spaces_project.demo.bots.house import House, beside
from spaces_project.demo.speech.texts import SCENES, speaker

OPEN_AGAIN_SECONDS = 20.0  # after a Space has ended, or could not be opened
SHOW_SECONDS = 2 * 3600.0  # of one Space: a recording that grows for days is of no use
PAUSE_SECONDS = 0.7  # between two turns
ROUND_SECONDS = 10.0  # between two rounds of a scene
STAGE_SECONDS = 20.0  # for a voice to come onto the stage
CONSIDER_SECONDS = 4.0  # before the host lets a person speak who asked
INSULTS, WARNING, LAST_WORD = ("rex-1", "rex-2", "rex-3"), "iris-9", "rex-5"
QUESTION_AT, HECKLE_AT = 9, 4  # the turns of a round after which the guest asks, and the heckler heckles


@dataclass(frozen=True)
class Programme:
    """Who hosts, who speaks, who listens, and which scenes of `turns.txt` they speak."""

    host: str
    title: str
    description: str
    scene: str
    voices: tuple[str, ...]
    listeners: tuple[str, ...]
    heckler: str = ""
    reporter: str = ""

    @property
    def question(self) -> list[str]:
        """The turn of the guest who asks, and that of the host who answers."""
        return list(SCENES[f"{self.scene}-question"])


class Show:
    """Holds the Space of a programme for as long as the demonstration runs."""

    def __init__(self, house: House, programme: Programme, all_here: asyncio.Event) -> None:
        self.house, self.programme, self.all_here = house, programme, all_here
        self.has_begun = asyncio.Event()
        self.bots: dict[str, Bot] = {}

    async def run(self) -> None:
        """Open the Space, hold it until it ends, and open it again after a pause."""
        while True:
            space = await rows.live_space(self.programme.host, self.programme.title, self.programme.description)
            if space is not None:
                await self._hold(space)
            await asyncio.sleep(OPEN_AGAIN_SECONDS)

    async def _hold(self, space: str) -> None:
        """Be in the Space, all together, until it is over."""
        self.bots = {}
        async with AsyncExitStack() as stack:
            for handle in (self.programme.host, *self.programme.voices):
                self.bots[handle] = await stack.enter_async_context(self.house.bot(handle, space))
            await stack.enter_async_context(beside(self._decide()))
            await stack.enter_async_context(self.house.listening(self.programme.listeners, space))
            await stack.enter_async_context(beside(self._let_the_heckler_in(space)))
            until = time.monotonic() + SHOW_SECONDS
            while not self.host.out.is_set():
                await self._round(space)
                await self.host.stay(ROUND_SECONDS)
                if time.monotonic() > until:
                    await self.host.attempt("end")

    async def _let_the_heckler_in(self, space: str) -> None:
        """Let the heckler listen once the short Space is over, in which the heckler acts, too."""
        await self.all_here.wait()
        if self.programme.heckler and await rows.may_enter(space, self.programme.heckler):
            async with self.house.bot(self.programme.heckler, space) as bot:
                self.bots[bot.handle] = bot
                await bot.out.wait()

    @property
    def host(self) -> Bot:
        return self.bots[self.programme.host]

    async def _seat(self) -> None:
        """Bring the voices onto the stage: before the first word, and after a voice has lost its place."""
        for handle in self.programme.voices:
            await self.bots[handle].take_stage(STAGE_SECONDS)

    # A round

    async def _round(self, space: str) -> None:
        """Speak the scene once, with a question and, if there is a heckler, with heckling."""
        await self._seat()
        for number, turn in enumerate(SCENES[self.programme.scene], 1):
            if self.host.out.is_set():
                return
            await self._say(turn)
            if number == HECKLE_AT and self.programme.heckler in self.bots:
                await self._heckle(self.bots[self.programme.heckler], space)
            if number == QUESTION_AT and not self.house.guest_is_free.locked():
                await self._question(space)

    async def _say(self, turn: str) -> None:
        """Let a voice speak, unless it is not on the stage or may not speak."""
        if await self.bots[speaker(turn)].say(turn):
            self.has_begun.set()
        await asyncio.sleep(PAUSE_SECONDS)

    async def _question(self, space: str) -> None:
        """A guest comes, asks to speak, asks a question, is answered, and goes."""
        asked, answered = self.programme.question
        async with self.house.guest_is_free, self.house.bot(speaker(asked), space) as guest:
            if await guest.take_stage(STAGE_SECONDS) and await guest.say(asked):
                await self._say(answered)
            await guest.attempt("step_down")

    async def _heckle(self, heckler: Bot, space: str) -> None:
        """Let the heckler insult the others. A listener reports it, and the host moves the heckler to the audience."""
        if not await heckler.take_stage(STAGE_SECONDS):
            return
        for turn in INSULTS:
            await heckler.say(turn)
        await rows.report(space, self.programme.reporter, heckler.handle, "harassment", "Insults everyone who speaks.")
        await self._say(WARNING)
        await heckler.say(LAST_WORD)
        if participant := self.host.replica.speaker(heckler.handle):
            await self.host.attempt("move_to_audience", participant=participant)

    # Requests to speak

    async def _decide(self) -> None:
        """Admit everyone who asks: bots at once, people after a moment."""
        while True:
            for request in list(self.host.replica.requests.values()):
                if request["person"]["handle"] not in self.programme.voices:
                    await asyncio.sleep(CONSIDER_SECONDS)
                await self.host.attempt("admit", request=request["request"])
            await asyncio.sleep(1.0)
