"""Websockets that a program opens with a token: its scopes, and what ends it."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts.models import ApiToken, Scope, User
from rooms.models import Participant, Space
from rooms.protocol import Close
from rooms.rules import Mute
from spaces_project.asgi import application
from tests.rig.live.page import HOST, WAIT_SECONDS, Page, Socket, _close_what_belongs_to_the_loop
from tests.rig.rights import give

__all__ = ["_close_what_belongs_to_the_loop"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.asyncio]

FLEET = "/ws/fleet/"
BOTH = [Scope.READ, Scope.WRITE]
EVIL = (b"origin", b"https://evil.example")
Header = tuple[bytes, bytes]


@sync_to_async
def header(user: User, scopes: list[Scope]) -> Header:
    """The header of a new token of `user`."""
    return b"authorization", f"Bearer {user.make_token('a program', scopes, 1)}".encode()


async def opens(path: str, *headers: Header) -> bool:
    """Whether the handshake is accepted."""
    socket = Socket(application, path, headers=[HOST, *headers])
    accepted, _code = await socket.connect(timeout=WAIT_SECONDS)
    if accepted:
        await socket.disconnect(timeout=WAIT_SECONDS)
    return bool(accepted)


@pytest.mark.parametrize(
    ("scopes", "fleet", "space"),
    [
        ([Scope.READ], True, False),
        ([Scope.WRITE], False, False),
        (BOTH, True, True),
    ],
)
async def test_the_fleet_needs_read_and_a_space_needs_write_too(
    tea: Space, sol: User, scopes: list[Scope], fleet: bool, space: bool
) -> None:
    mine = await header(sol, scopes)
    assert await opens(FLEET, mine) == fleet
    assert await opens(f"/ws/spaces/{tea.pk}/", mine) == space
    assert await Participant.objects.filter(user=sol).aexists() == space


async def test_a_program_sends_commands(tea: Space, sol: User) -> None:
    page = Page(tea, None, [HOST, await header(sol, BOTH)])
    assert await page.connect()
    await page.until("snapshot")
    await page.send(type="ask", text="", id=1)
    assert await page.until("ok", re=1)
    assert await ApiToken.objects.filter(used_at__isnull=False).aexists()
    await page.gone()


async def change_to_expired(user: User) -> None:
    await ApiToken.objects.aupdate(expires_at=timezone.now())


async def change_to_revoked(user: User) -> None:
    await sync_to_async(user.revoke_tokens)()


async def change_to_suspended(user: User) -> None:
    await sync_to_async(give)(user, suspended_until=timezone.now() + timedelta(days=1))


@pytest.mark.parametrize("change", [change_to_expired, change_to_revoked, change_to_suspended])
async def test_what_has_ended_opens_nothing(tea: Space, sol: User, change: Callable[[User], Any]) -> None:
    mine = await header(sol, BOTH)
    await change(sol)
    assert not await opens(FLEET, mine)
    assert not await opens(f"/ws/spaces/{tea.pk}/", mine)


@pytest.mark.parametrize("value", [b"Bearer nonsense", b"Bearer ", b"Basic c29sOnNvbA==", b"Token nonsense"])
async def test_no_other_header_opens_anything_or_saves_the_check_of_the_origin(sol: User, value: bytes) -> None:
    browser = Client()
    await sync_to_async(browser.force_login)(sol)
    cookie = f"{settings.SESSION_COOKIE_NAME}={browser.cookies[settings.SESSION_COOKIE_NAME].value}".encode()
    assert not await opens(FLEET, EVIL, (b"authorization", value), (b"cookie", cookie))


async def test_a_token_needs_no_origin_and_reads_no_cookie(tea: Space, hana: User, sol: User) -> None:
    browser = Client()
    await sync_to_async(browser.force_login)(hana)
    cookie = f"{settings.SESSION_COOKIE_NAME}={browser.cookies[settings.SESSION_COOKIE_NAME].value}".encode()
    page = Page(tea, None, [HOST, EVIL, (b"cookie", cookie), await header(sol, BOTH)])
    assert await page.connect()
    await page.until("snapshot")
    assert await Participant.objects.filter(user=sol).aexists()
    await page.gone()


async def revoke(user: User) -> None:
    token = await user.api_tokens.aget()
    await sync_to_async(token.revoke)()


async def suspend(user: User) -> None:
    await sync_to_async(user.suspend)(timezone.now() + timedelta(days=1))


async def lock(user: User) -> None:
    await sync_to_async(user.deactivate)()


@pytest.mark.parametrize("end", [revoke, suspend, lock])
async def test_the_end_of_a_token_closes_its_sockets_within_a_second(sol: User, end: Callable[[User], Any]) -> None:
    socket = Socket(application, FLEET, headers=[HOST, await header(sol, [Scope.READ])])
    assert (await socket.connect(timeout=WAIT_SECONDS))[0]
    await socket.receive_from(timeout=WAIT_SECONDS)
    start = time.monotonic()
    await end(sol)
    message = await socket.receive_output(timeout=WAIT_SECONDS)
    took = time.monotonic() - start
    print(f"Closed after {took:.2f} s")
    assert (message["type"], message["code"]) == ("websocket.close", Close.LOG_IN)
    assert took < 1
    await socket.disconnect(timeout=WAIT_SECONDS)


async def test_a_revoked_token_silences_its_speaker(tea: Space, speaker: Participant, sol: User) -> None:
    page = Page(tea, None, [HOST, await header(sol, BOTH)])
    assert await page.connect()
    await page.until("snapshot")
    await revoke(sol)
    assert await page.closed() == Close.LOG_IN
    await speaker.arefresh_from_db()
    assert speaker.mute == Mute.SELF
    await page.gone()


async def test_one_token_ends_without_the_other(sol: User) -> None:
    first, second = await header(sol, [Scope.READ]), await header(sol, [Scope.READ])
    sockets = [Socket(application, FLEET, headers=[HOST, one]) for one in (first, second)]
    for socket in sockets:
        assert (await socket.connect(timeout=WAIT_SECONDS))[0]
        await socket.receive_from(timeout=WAIT_SECONDS)
    newest = await user_tokens(sol)
    await sync_to_async(newest[0].revoke)()
    assert (await sockets[1].receive_output(timeout=WAIT_SECONDS))["code"] == Close.LOG_IN
    assert await sockets[0].receive_nothing()
    for socket in sockets:
        await socket.disconnect(timeout=WAIT_SECONDS)


@sync_to_async
def user_tokens(user: User) -> list[ApiToken]:
    return list(user.api_tokens.all())


async def test_a_revocation_during_the_handshake_is_not_missed(sol: User, monkeypatch: pytest.MonkeyPatch) -> None:
    accept = AsyncWebsocketConsumer.accept

    async def accept_late(self: AsyncWebsocketConsumer) -> None:
        await revoke(sol)
        await accept(self)

    monkeypatch.setattr(AsyncWebsocketConsumer, "accept", accept_late)
    socket = Socket(application, FLEET, headers=[HOST, await header(sol, [Scope.READ])])
    assert (await socket.connect(timeout=WAIT_SECONDS))[0]
    assert (await socket.receive_output(timeout=WAIT_SECONDS))["code"] == Close.LOG_IN
    await socket.disconnect(timeout=WAIT_SECONDS)
