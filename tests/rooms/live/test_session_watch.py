"""Websockets end with a session or token that expires or is deleted by hand, checked for all of a process together."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import ApiToken, Scope, User
from accounts.sessions.endings import digest
from accounts.sessions.lasting import Opened, lasting
from rooms.live import session_watch
from rooms.protocol import Close
from spaces_project.asgi import application
from tests.conftest import PASSWORD
from tests.rig.live.page import HOST, ORIGIN, WAIT_SECONDS, Socket, _close_what_belongs_to_the_loop

__all__ = ["_close_what_belongs_to_the_loop"]
pytestmark = pytest.mark.django_db(transaction=True)
NEW = "a longer way to coffee"


@asynccontextmanager
async def fleet(*headers: tuple[bytes, bytes]) -> AsyncIterator[Socket]:
    """A fleet socket after its first hint."""
    socket = Socket(application, "/ws/fleet/", headers=[HOST, ORIGIN, *headers])
    assert (await socket.connect(timeout=WAIT_SECONDS))[0]
    await socket.receive_from(timeout=WAIT_SECONDS)
    yield socket
    await socket.disconnect(timeout=WAIT_SECONDS)


def cookie(browser: Client) -> tuple[bytes, bytes]:
    return b"cookie", f"{settings.SESSION_COOKIE_NAME}={browser.session.session_key}".encode()


@pytest.fixture
def browser(log_in: Callable[[User], Client], sol: User) -> Client:
    return log_in(sol)


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_watch, "CHECK_SECONDS", 0.05)
    monkeypatch.setattr(session_watch, "RENEWAL_SECONDS", 0.5)


def expire() -> None:
    Session.objects.update(expire_date=timezone.now())


def delete() -> None:
    Session.objects.all().delete()


@pytest.mark.asyncio
@pytest.mark.parametrize("end", [expire, delete])
async def test_a_socket_ends_with_its_session(browser: Client, end: Callable[[], None]) -> None:
    async with fleet(await sync_to_async(cookie)(browser)) as socket:
        assert await socket.receive_nothing(timeout=0.3)
        await sync_to_async(end)()
        message = await socket.receive_output(timeout=WAIT_SECONDS)
        assert (message["type"], message["code"]) == ("websocket.close", Close.LOG_IN)


@pytest.mark.asyncio
async def test_a_socket_ends_with_its_token(sol: User) -> None:
    key = await sync_to_async(sol.make_token)("a program", [Scope.READ], 1)
    async with fleet((b"authorization", f"Bearer {key}".encode())) as socket:
        assert await socket.receive_nothing(timeout=0.3)
        await ApiToken.objects.aupdate(expires_at=timezone.now())
        assert (await socket.receive_output(timeout=WAIT_SECONDS))["code"] == Close.LOG_IN


@pytest.mark.asyncio
async def test_the_page_with_the_new_password_stays_until_its_session_ends(browser: Client) -> None:
    form = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    async with fleet(await sync_to_async(cookie)(browser)) as socket:
        await sync_to_async(browser.post)("/accounts/password/change/", form)
        assert await socket.receive_nothing(timeout=1.0)
        await sync_to_async(expire)()
        assert (await socket.receive_output(timeout=WAIT_SECONDS))["code"] == Close.LOG_IN


@pytest.mark.asyncio
async def test_nothing_is_checked_any_more_when_the_last_page_has_gone(browser: Client) -> None:
    async with fleet(await sync_to_async(cookie)(browser)):
        assert session_watch._watches.peek() is not None
    assert session_watch._watches.peek() is None


@pytest.mark.asyncio
async def test_a_failure_of_the_database_ends_no_check(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    ask, failures = session_watch._lasting, iter([True, True])

    async def fail_twice(opened: Any) -> set[str]:
        if next(failures, False):
            raise OSError("no database")
        return await ask(opened)

    monkeypatch.setattr(session_watch, "_lasting", fail_twice)
    async with fleet(await sync_to_async(cookie)(browser)) as socket:
        await sync_to_async(delete)()
        assert (await socket.receive_output(timeout=WAIT_SECONDS))["code"] == Close.LOG_IN


def test_many_sessions_are_one_query(
    log_in: Callable[[User], Client], sol: User, hana: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    keys = [log_in(user).session.session_key or "" for user in (sol, sol, hana) for _ in range(4)]
    opened = [Opened(sol.pk, digest(key), key) for key in keys]
    with django_assert_num_queries(1):
        assert lasting(opened) == {digest(key) for key in keys}
    Session.objects.filter(pk=keys[0]).update(expire_date=timezone.now() - timedelta(seconds=1))
    with django_assert_num_queries(3):
        assert lasting(opened) == {digest(key) for key in keys[1:]}
