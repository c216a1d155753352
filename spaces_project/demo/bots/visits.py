"""Visits to the Spaces that a person hosts: listeners come, one asks a question, one heckles when admitted."""

import asyncio

from spaces_project.demo.bots import rows
from spaces_project.demo.bots.bot import Bot
from spaces_project.demo.bots.house import House
from spaces_project.demo.speech.texts import SCENES

LOOK_SECONDS = 3.0  # between two looks for new Spaces
LISTENERS = ("yara", "sanjay")
GUEST, HECKLER = "mira", "gus"
SETTLE_SECONDS = 8.0  # in the Space before a hand goes up
PATIENCE_SECONDS = 900.0  # with a raised hand
SHOUT_SECONDS = 5.0  # between two heckling turns
STAY_SECONDS = 20.0  # after the last word


async def visit_people(house: House) -> None:
    """Visit every Space of a person while it is live."""
    visits: dict[str, asyncio.Event] = {}
    async with asyncio.TaskGroup() as group:
        while True:
            live = await rows.spaces_of_people()
            for space in visits.keys() - set(live):
                visits.pop(space).set()
            for space in set(live) - visits.keys():
                over = visits[space] = asyncio.Event()
                group.create_task(_visit(house, space, over))
            await asyncio.sleep(LOOK_SECONDS)


async def _visit(house: House, space: str, over: asyncio.Event) -> None:
    here = [handle for handle in LISTENERS if await rows.may_enter(space, handle)]
    async with house.listening(here, space):
        await _be_a_guest(house, space)
        await _heckle(house, space)
        await over.wait()


async def _be_a_guest(house: House, space: str) -> None:
    """Ask to speak, ask a question when admitted, and go back to listening."""
    async with house.guest_is_free, house.bot(GUEST, space) as guest:
        if await _raise_hand(guest, "May I ask how you choose your topics?"):
            for turn in SCENES["guest"]:
                await guest.say(turn)
                await guest.stay(SHOUT_SECONDS)
            await guest.attempt("step_down")
            await guest.stay(STAY_SECONDS)


async def _heckle(house: House, space: str) -> None:
    """Ask to speak under a pretext, and insult the others until the host acts."""
    async with house.bot(HECKLER, space) as heckler:
        if not await _raise_hand(heckler, "A short remark"):
            return
        turns = [turn for turn in SCENES["heckling"] if turn.startswith(f"{HECKLER}-")]
        for turn in turns * 2:
            await heckler.until(lambda: heckler.replica.mute != "host", PATIENCE_SECONDS)
            if not heckler.replica.mute:
                return
            await heckler.say(turn)
            await heckler.until(lambda: not heckler.replica.mute, SHOUT_SECONDS)


async def _raise_hand(bot: Bot, text: str) -> bool:
    """Come in, settle, ask to speak; whether the host admitted the bot in time."""
    await bot.stay(SETTLE_SECONDS)
    return await bot.take_stage(PATIENCE_SECONDS, text)
