"""The websocket of the fleet: which pages get a hint, and the cost for a process with many pages."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.base import SessionBase
from django.test import Client
from django.utils import timezone

from accounts.models import User
from rooms import events
from rooms.live import fleet_watch
from rooms.live.fleet_consumer import FleetConsumer
from rooms.models import Participant, Space
from rooms.protocol import Close
from tests.rig.live.page import WAIT_SECONDS, Socket, _close_what_belongs_to_the_loop
from tests.rooms.media.conftest import until

__all__ = ["_close_what_belongs_to_the_loop"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.asyncio]
Do = Callable[..., Any]


def do(verb: Do, *args: Any, **kwargs: Any) -> Any:
    return sync_to_async(verb)(*args, **kwargs)


def session_of(user: User) -> SessionBase:
    client = Client()
    client.force_login(user)
    return client.session


@asynccontextmanager
async def lines(*users: User) -> AsyncIterator[list[Socket]]:
    """The fleet sockets of these people."""
    opened = []
    for user in users:
        socket = Socket(FleetConsumer.as_asgi(), "/ws/fleet/")
        socket.scope["user"], socket.scope["session"] = user, await do(session_of, user)
        assert (await socket.connect(timeout=WAIT_SECONDS))[0]
        opened.append(socket)
        assert await hinted(socket), "from here on nothing is missed"
    yield opened
    for socket in opened:
        await socket.disconnect(timeout=WAIT_SECONDS)


async def hinted(socket: Socket) -> bool:
    return await socket.receive_from(timeout=WAIT_SECONDS) == '{"type":"fleet"}'


async def in_between(socket: Socket, user: User) -> bool:
    """Whether the page got a hint before the message that is sent to it now."""
    await do(events.fleet_changed, own=[user.pk])
    await hinted(socket)
    return not await socket.receive_nothing(timeout=0.05)


async def test_followers_and_the_host_get_a_hint_and_strangers_do_not(hana: User, sol: User, dee: User) -> None:
    await do(sol.follow, hana)
    async with lines(hana, sol, dee) as [host, follower, stranger]:
        await do(Space.open, hana, title="Tea", audience=Space.Audience.FOLLOWERS)
        assert await hinted(host)
        assert await hinted(follower)
        assert not await in_between(stranger, dee)


HOW = ["follow", "unfollow", "approve", "block", "be blocked", "unblock", "be unblocked", "be removed", "be invited"]


@pytest.mark.parametrize("how", HOW)
async def test_the_fleet_follows_what_a_member_may_see(hana: User, sol: User, dee: User, lior: User, how: str) -> None:
    if how not in ("follow", "approve"):
        await do(dee.follow, hana)
    if how == "unblock":
        await do(dee.block, hana)
    if how == "be unblocked":
        await do(hana.block, dee)
    if how == "approve":
        await User.objects.filter(pk=hana.pk).aupdate(approves_followers=True)
        await do(dee.follow, hana)
    audience = Space.Audience.NAMED if how == "be invited" else Space.Audience.FOLLOWERS
    space = await do(Space.open, hana, title="Tea", audience=audience)
    person = await do(space.enter, dee) if how == "be removed" else Participant()
    verbs: dict[str, Do] = {
        "follow": lambda: dee.follow(hana),
        "unfollow": lambda: dee.unfollow(hana),
        "approve": lambda: hana.approve(dee),
        "block": lambda: dee.block(hana),
        "be blocked": lambda: hana.block(dee),
        "unblock": lambda: dee.unblock(hana),
        "be unblocked": lambda: hana.unblock(dee),
        "be removed": lambda: person.remove(space.participants.get(user=hana)),
        "be invited": lambda: space.invite([dee]),
    }
    async with lines(dee, lior) as [page, other]:
        await do(verbs[how])
        assert await hinted(page)
        assert not await in_between(other, lior)


async def test_the_fleet_comes_back_with_the_account(dee: User, lior: User) -> None:
    await do(dee.suspend, timezone.now() + timedelta(days=1))
    async with lines(dee, lior) as [page, other]:
        await do(dee.lift_suspension)
        assert await hinted(page)
        assert not await in_between(other, lior)


async def test_a_block_that_never_was_is_taken_back_in_silence(hana: User, dee: User) -> None:
    async with lines(dee) as [page]:
        await do(hana.unblock, dee)
        assert not await in_between(page, dee)


async def test_a_request_to_follow_sends_no_hint(hana: User, dee: User) -> None:
    await User.objects.filter(pk=hana.pk).aupdate(approves_followers=True)
    async with lines(dee) as [page]:
        await do(dee.follow, hana)
        assert not await in_between(page, dee)


async def test_many_pages_cost_one_query_and_one_subscription(
    hana: User, sol: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    ask = fleet_watch.followers_among

    async def count(people: list[Any], followed: Any) -> Any:
        asked.append(len(people))
        return await ask(people, followed)

    monkeypatch.setattr(fleet_watch, "followers_among", count)
    others = await do(User.objects.bulk_create, [User(handle=f"guest_{number}") for number in range(30)])
    await do(sol.follow, hana)
    async with lines(sol, sol, *others) as [one, two, *_]:
        await do(events.fleet_changed, [hana.pk])
        assert await hinted(one)
        assert await hinted(two)
        assert asked == [31]
        [channels] = get_channel_layer()._get_layer().groups.values()
        assert len(channels) == 1
    assert not get_channel_layer()._get_layer().groups


async def test_a_fault_is_not_the_end_of_the_watch(
    hana: User, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: Any) -> None:
        raise RuntimeError("the database is away")

    async with lines(hana) as [page]:
        with monkeypatch.context() as broken:
            broken.setattr(fleet_watch, "followers_among", fail)
            await do(events.fleet_changed, [hana.pk])
            await do(events.fleet_changed, own=[hana.pk])
            assert await hinted(page)
        await do(events.fleet_changed, [hana.pk])
        assert await hinted(page)


async def test_a_page_that_fails_keeps_nothing_from_the_others(hana: User) -> None:
    tried: list[int] = []

    class Page(FleetConsumer):
        def __init__(self, number: int) -> None:
            self.number = number

        async def hint(self) -> None:
            tried.append(self.number)
            if self.number % 2:
                raise RuntimeError("this page is gone")

    pages = [Page(number) for number in range(20)]
    for page in pages:
        await fleet_watch.join(hana.pk, page)
    await do(events.fleet_changed, own=[hana.pk])
    await until(lambda: len(tried) >= len(pages))
    assert sorted(tried) == list(range(20))
    for page in pages:
        await fleet_watch.leave(hana.pk, page)


async def test_the_anonymous_are_closed(db: None) -> None:
    socket = Socket(FleetConsumer.as_asgi(), "/ws/fleet/")
    socket.scope["user"] = AnonymousUser()
    assert (await socket.connect(timeout=WAIT_SECONDS))[0]
    closing = await socket.receive_output(timeout=WAIT_SECONDS)
    assert (closing["type"], closing["code"]) == ("websocket.close", Close.LOG_IN)
    await socket.disconnect(timeout=WAIT_SECONDS)
