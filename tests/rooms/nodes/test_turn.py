"""Credentials for TURN over the socket: who gets them, how often, and what they say."""

import time
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from rooms.media.contract import turn
from rooms.models import Participant, Space
from rooms.nodes import turn as relay
from rooms.refusals import Refused
from rooms.store import keys
from rooms.store.client import redis_client
from tests.rig.live.page import _close_what_belongs_to_the_loop, pages

__all__ = ["_close_what_belongs_to_the_loop"]
pytestmark = pytest.mark.django_db(transaction=True)
URLS = ["turn:turn.example.org?transport=udp", "turns:turn.example.org:443?transport=tcp"]
SECRET = "a secret of the tests"


@pytest.fixture(autouse=True)
def _turn(settings: Settings) -> None:
    settings.TURN_URLS, settings.TURN_SECRET, settings.TURN_CREDENTIAL_SECONDS = URLS, SECRET, 1800


async def ask(page: Any, number: int) -> dict[str, Any]:
    """The answer to a command `relay`: servers, or an error."""
    await page.send(type="relay", id=number)
    while True:
        frame = await page.until_any("ice_servers", "error")
        if frame["re"] == number:
            return dict(frame)


async def test_a_member_who_is_not_in_the_space_gets_none(tea: Space, speaker: Participant, dee: User) -> None:
    await sync_to_async(speaker.leave)()
    with pytest.raises(Refused):
        await relay.ice_servers(speaker.pk)


async def test_a_removed_member_gets_none(tea: Space, host: Participant, listener: Participant) -> None:
    await sync_to_async(listener.remove)(host)
    with pytest.raises(Refused):
        await relay.ice_servers(listener.pk)


async def test_a_suspended_member_gets_none(tea: Space, listener: Participant, lior: User) -> None:
    await sync_to_async(lior.suspend)(timezone.now() + timedelta(days=1))
    with pytest.raises(Refused):
        await relay.ice_servers(listener.pk)


async def test_no_one_gets_any_in_a_space_that_has_ended(tea: Space, host: Participant, listener: Participant) -> None:
    await sync_to_async(tea.end)(by=host)
    with pytest.raises(Refused):
        await relay.ice_servers(listener.pk)


async def test_a_member_gets_credentials_for_this_space(tea: Space, sol: User) -> None:
    async with pages(tea, sol) as [page]:
        before = int(time.time())
        answer = await ask(page, 7)
        me = await Participant.objects.aget(space=tea, user=sol)
    assert answer["seconds"] == 1800
    [server] = answer["servers"]
    assert server["urls"] == URLS
    end, _, identity = server["username"].partition(":")
    assert identity == str(me.pk)
    assert before + 1800 <= int(end) <= time.time() + 1800
    assert turn.credentials(SECRET, identity, int(end)) == (server["username"], server["credential"])


async def test_others_get_others(tea: Space, sol: User, lior: User) -> None:
    async with pages(tea, sol, lior) as [one, other]:
        names = [(await ask(page, 7))["servers"][0]["username"].partition(":")[2] for page in (one, other)]
    assert len(set(names)) == 2


async def test_a_member_who_asks_too_often_is_refused_and_loses_nothing(tea: Space, sol: User, lior: User) -> None:
    async with pages(tea, sol, lior) as [page, other]:
        for number in range(relay.MOST_A_MINUTE):
            assert (await ask(page, 10 + number))["type"] == "ice_servers"
        refusal = await ask(page, 90)
        assert (refusal["type"], refusal["code"]) == ("error", "relay_too_often")
        assert refusal["text"]
        assert (await ask(other, 91))["type"] == "ice_servers", "each member has a count of their own"
        await page.send(type="ask", text="", id=92)
        assert await page.until("ok", re=92)
    key = keys.TURN_REQUESTS.format(member=sol.pk)
    assert 0 < await sync_to_async(redis_client().ttl)(key) <= 60, "and the minute ends"


async def test_without_servers_none_are_named(tea: Space, sol: User, settings: Settings) -> None:
    settings.TURN_URLS = []
    async with pages(tea, sol) as [page]:
        for number in range(relay.MOST_A_MINUTE + 2):
            assert (await ask(page, 10 + number))["servers"] == []
