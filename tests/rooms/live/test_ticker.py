"""The ticker of a Space: what is summed, and how often sums leave."""

import asyncio
import time

import pytest

from accounts.models import User
from rooms.live import ticker
from rooms.models import Space
from rooms.store import keys
from rooms.store.client import async_redis_client
from tests.rig.live.page import _close_what_belongs_to_the_loop, pages

__all__ = ["_close_what_belongs_to_the_loop"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.asyncio]


async def test_reactions_are_summed(tea: Space, sol: User, lior: User) -> None:
    async with pages(tea, sol, lior) as [page, other]:
        for _ in range(5):
            await page.send(type="react", emoji="👏")
        counted = 0
        while counted < 5:
            counted += (await other.until("reactions"))["counts"]["👏"]
        assert counted == 5


async def test_several_processes_send_a_sum_no_more_often_than_one(tea: Space) -> None:
    taken = await asyncio.gather(*(ticker._is_due(f"test of {tea.pk}", 60) for _ in range(20)))
    assert sum(taken) == 1


async def test_coming_and_leaving_is_sent_in_sums(tea: Space, hana: User, sol: User) -> None:
    async with pages(tea, hana) as [host]:
        async with pages(tea, sol) as [page]:
            audience = await host.until("audience")
            assert audience["listeners"] == 1
            assert [person["handle"] for person in audience["entered"]] == ["sol"]
            await page.send(type="leave", id=1)
            await page.until("ok", re=1)
        assert (await host.until("audience"))["listeners"] == 0


@pytest.mark.parametrize(("connections", "seconds"), [(2, 0.5), (500, 0.5), (2500, 2.5), (5000, 5.0), (50_000, 5.0)])
async def test_more_people_get_sums_less_often(tea: Space, connections: int, seconds: float) -> None:
    leases: dict[str | bytes, bytes | float | int | str] = {
        f"{number}:page": time.time() + 30 for number in range(connections)
    }
    await async_redis_client().zadd(keys.PRESENCE.format(space=tea.pk), leases)
    assert await ticker.pace(str(tea.pk), 0.5) == seconds
