"""A decision in a room that is live, with real connections: they are closed within a second."""

import time
from collections.abc import Awaitable
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from accounts.models import User
from moderation import staff
from moderation.models import Case, Report
from moderation.rules import Kind
from rooms.models import Space
from rooms.protocol import Close
from tests.rig.live.page import _close_what_belongs_to_the_loop, pages

__all__ = ["_close_what_belongs_to_the_loop"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.asyncio]
WHY = "At 12:05 you called people animals. Our rules forbid it."


@sync_to_async
def claimed_case(tea: Space, lior: User, mo: User, about: User) -> Case:
    staff.make_reviewer(mo)
    case = Report.file(lior, tea, tea.participants.get(user=about), "hate").case
    case.claim(mo)
    return case


async def seconds_until(closing: Awaitable[int]) -> tuple[int, float]:
    start = time.monotonic()
    code = await closing
    return code, time.monotonic() - start


@pytest.mark.parametrize(
    ("kind", "code"), [(Kind.REMOVE, Close.REMOVED), (Kind.SUSPEND, Close.NOT_FOUND), (Kind.END, Close.ENDED)]
)
async def test_the_connection_of_the_person_is_closed(
    tea: Space, hana: User, sol: User, lior: User, mo: User, kind: Kind, code: int
) -> None:
    until = timezone.now() + timedelta(days=1) if kind == Kind.SUSPEND else None
    async with pages(tea, hana, sol, lior) as [host, speaker, listener]:
        case = await claimed_case(tea, lior, mo, sol)
        await sync_to_async(case.decide)(mo, kind, WHY, until)
        closed, seconds = await seconds_until(speaker.closed())
        assert closed == code
        assert seconds < 1
        if kind == Kind.END:
            assert [await host.closed(), await listener.closed()] == [Close.ENDED, Close.ENDED]
        else:
            assert (await listener.until("removed"))["participant"]


async def test_a_suspended_hosts_space_ends_for_everyone(tea: Space, hana: User, lior: User, mo: User) -> None:
    async with pages(tea, hana, lior) as [host, listener]:
        case = await claimed_case(tea, lior, mo, hana)
        await sync_to_async(case.decide)(mo, Kind.SUSPEND, WHY, timezone.now() + timedelta(days=1))
        closed, seconds = await seconds_until(listener.closed())
        assert closed == Close.ENDED
        assert seconds < 1
        assert await host.closed() == Close.ENDED
