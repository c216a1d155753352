"""A short Space that ends during the start: it leaves a recording, and two people to judge."""

import asyncio
from contextlib import AsyncExitStack

from spaces_project.demo.bots import rows
from spaces_project.demo.bots.bot import Bot
from spaces_project.demo.bots.house import House

HOST, SELLER, SHOUTER = "mira", "gus", "rex"
LISTENERS = ("ole", "bea")
TITLE, DESCRIPTION = "Seeds to swap", "Bring what you have, take what you need."
STAGE_SECONDS = 20.0  # for a bot to come onto the stage
REPORT_SECONDS = 5.0  # of the sales talk before it is reported


async def hold_swap(house: House) -> None:
    """Hold the Space, unless cases of an earlier one wait to be judged."""
    await rows.may_host(HOST)
    if await rows.has_cases_of(HOST):
        return
    space = await rows.live_space(HOST, TITLE, DESCRIPTION)
    if space is None:
        return
    async with house.guest_is_free, AsyncExitStack() as stack:
        try:
            handles = [HOST, *[one for one in (SELLER, SHOUTER, *LISTENERS) if await rows.may_enter(space, one)]]
            bots = {one: await stack.enter_async_context(house.bot(one, space)) for one in handles}
            await _speak(bots, space)
        finally:
            await rows.end(space)


async def _speak(bots: dict[str, Bot], space: str) -> None:
    """The host welcomes, one sells, one shouts; each is reported while they speak."""
    host = bots[HOST]
    for handle in (SELLER, SHOUTER):
        if handle in bots:
            await _admit(host, bots[handle])
    await host.say("mira-6")
    if SELLER in bots:
        spoken = asyncio.create_task(bots[SELLER].say("gus-1"))
        await asyncio.wait({spoken}, timeout=REPORT_SECONDS)
        await rows.report(space, HOST, SELLER, "spam", "Wants money before anyone sees a seed.")
        await spoken
    if SHOUTER in bots:
        await bots[SHOUTER].say("rex-3")
        await rows.report(space, LISTENERS[0], SHOUTER, "harassment", "Shouts at the host.")
        await bots[SHOUTER].say("rex-4")
    await host.say("mira-7")


async def _admit(host: Bot, bot: Bot) -> None:
    """Let the bot ask, and the host admit it."""
    async with asyncio.TaskGroup() as group:
        group.create_task(bot.take_stage(STAGE_SECONDS))
        await host.until(lambda: host.replica.request_of(bot.handle) is not None, STAGE_SECONDS)
        if request := host.replica.request_of(bot.handle):
            await host.attempt("admit", request=request["request"])
