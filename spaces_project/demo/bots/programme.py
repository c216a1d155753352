"""The whole demonstration: two Spaces that stay live, a short one at the start, and visits to Spaces of people."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import aiohttp
import structlog

from rooms.media.client.peer import Crowd
from spaces_project.demo.bots.house import House
from spaces_project.demo.bots.show import Programme, Show
from spaces_project.demo.bots.swap import hold_swap
from spaces_project.demo.bots.visits import visit_people

log = structlog.get_logger(__name__)

AGAIN_SECONDS = 10.0  # after a fault of one part of the demonstration

GARDEN = Programme(
    host="iris",
    title="What grows on a roof",
    description="Pots, soil and patience: what really grows in a city.",
    scene="garden",
    voices=("tomas", "wen"),
    listeners=("lena", "ole"),
    heckler="rex",
    reporter="lena",
)
SKY = Programme(
    host="nora",
    title="The sky above your balcony",
    description="No telescope, no tickets: stars, planets and a street lamp.",
    scene="sky",
    voices=("idris",),
    listeners=("june", "bea"),
)


async def run(url: str, on_begun: Callable[[], None]) -> None:
    """Go on until cancelled. `on_begun` is called once a voice was heard in each Space."""
    async with Crowd() as crowd, aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
        house, all_here = House(url, crowd, session), asyncio.Event()
        shows = [Show(house, programme, all_here) for programme in (GARDEN, SKY)]
        for show in shows:
            group.create_task(_again(show.run))
        group.create_task(_begin(house, all_here))
        group.create_task(_again(partial(visit_people, house)))
        await asyncio.gather(*(show.has_begun.wait() for show in shows))
        on_begun()


async def _begin(house: House, all_here: asyncio.Event) -> None:
    """The short Space first: those who act in it come to the others afterwards."""
    try:
        await hold_swap(house)
    except Exception:
        log.exception("swap_failed")
    all_here.set()


async def _again(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Do this until cancelled. A fault is logged, and the work begins again after a pause."""
    while True:
        try:
            await work()
        except Exception:
            log.exception("part_failed")
        await asyncio.sleep(AGAIN_SECONDS)
