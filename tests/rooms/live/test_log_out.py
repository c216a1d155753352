"""A log-out, a new password and a locked account end the sockets and the sound that were opened with the session."""

import time

import msgspec
import pytest
from asgiref.sync import sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client

from accounts.models import Scope, User
from rooms import events
from rooms.models import Participant, Space
from rooms.protocol import Close
from rooms.rules import Mute
from spaces_project.asgi import application
from tests.rig.live.page import HOST, ORIGIN, WAIT_SECONDS, Page, Socket, _close_what_belongs_to_the_loop

__all__ = ["_close_what_belongs_to_the_loop"]
pytestmark = [pytest.mark.django_db(transaction=True)]
PASSWORD, NEW_PASSWORD = "a long way to tea", "a longer way to coffee"


class Browser:
    """A client with a session, and pages that are opened with it."""

    def __init__(self, user: User) -> None:
        self.client = Client()
        self.client.force_login(user)

    def _cookie(self) -> list[tuple[bytes, bytes]]:
        return [HOST, ORIGIN, (b"cookie", f"{settings.SESSION_COOKIE_NAME}={self.client.session.session_key}".encode())]

    async def enter(self, space: Space) -> Page:
        page = Page(space, None, await sync_to_async(self._cookie)())
        assert await page.connect()
        await page.until("snapshot")
        return page

    async def fleet(self) -> Socket:
        socket = Socket(application, "/ws/fleet/", headers=await sync_to_async(self._cookie)())
        assert (await socket.connect(timeout=WAIT_SECONDS))[0]
        assert msgspec.json.decode(await socket.receive_from(timeout=WAIT_SECONDS)) == {"type": "fleet"}
        return socket


@pytest.fixture
def sols(sol: User) -> Browser:
    sol.set_password(PASSWORD)
    sol.save(update_fields=["password"])
    return Browser(sol)


async def code_of(socket: Socket) -> int:
    """The code with which the server closed; frames before it are passed over."""
    while True:
        message = await socket.receive_output(timeout=WAIT_SECONDS)
        if message["type"] == "websocket.close":
            return int(message["code"])


@pytest.mark.asyncio
async def test_a_log_out_closes_pages_and_silences_a_speaker(
    tea: Space, speaker: Participant, sol: User, sols: Browser
) -> None:
    other = await sync_to_async(Browser)(sol)
    page, fleet, elsewhere = await sols.enter(tea), await sols.fleet(), await other.fleet()
    start = time.monotonic()
    await sync_to_async(sols.client.post)("/accounts/logout/")
    assert await page.closed() == Close.LOG_IN
    assert await code_of(fleet) == Close.LOG_IN
    print(f"Closed after {time.monotonic() - start:.2f} s")
    await speaker.arefresh_from_db()
    assert (speaker.mute, speaker.left_at is None) == (Mute.SELF, False)
    hint = await elsewhere.receive_output(timeout=WAIT_SECONDS)  # sol is on no stage any more
    assert hint["type"] == "websocket.send"
    for socket in (page.socket, fleet, elsewhere):
        await socket.disconnect(timeout=WAIT_SECONDS)


@pytest.mark.asyncio
async def test_a_host_who_logs_out_is_muted_and_gets_the_time_of_a_host(tea: Space, host: Participant) -> None:
    await sync_to_async(host.accept_notice)()
    await sync_to_async(host.open_microphone)()
    browser = await sync_to_async(Browser)(host.user)
    page = await browser.enter(tea)
    await sync_to_async(browser.client.post)("/accounts/logout/")
    assert await page.closed() == Close.LOG_IN
    await page.gone()
    await host.arefresh_from_db()
    assert (host.mute, host.left_at, host.away_since is None) == (Mute.SELF, None, False)


@pytest.mark.asyncio
async def test_a_new_password_ends_all_other_sessions(tea: Space, sol: User, sols: Browser) -> None:
    other = await sync_to_async(Browser)(sol)
    mine, theirs = await sols.enter(tea), await other.fleet()
    key = await sync_to_async(sol.make_token)("a program", [Scope.READ], 1)
    form = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    answer = await sync_to_async(sols.client.post)("/accounts/password/change/", form)
    assert answer.status_code == 302
    assert await code_of(theirs) == Close.LOG_IN
    await mine.send(type="ping", id=3)
    assert await mine.until("ok", re=3)
    headers = {"Authorization": f"Bearer {key}"}
    assert (await sync_to_async(Client().get)("/api/people/sol/", headers=headers)).status_code == 401
    await sync_to_async(sols.client.post)("/accounts/logout/")
    assert await mine.closed() == Close.LOG_IN
    for socket in (mine.socket, theirs):
        await socket.disconnect(timeout=WAIT_SECONDS)


@pytest.mark.asyncio
async def test_a_locked_account_has_no_page_left(sol: User, sols: Browser) -> None:
    fleet = await sols.fleet()
    await sync_to_async(sol.deactivate)()
    assert await code_of(fleet) == Close.LOG_IN
    await fleet.disconnect(timeout=WAIT_SECONDS)


@pytest.mark.asyncio
async def test_a_log_out_during_the_handshake_is_not_missed(
    tea: Space, sol: User, sols: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The handshake reads the session. Here it ends before the page follows it."""
    accept = AsyncWebsocketConsumer.accept

    async def accept_late(self: AsyncWebsocketConsumer) -> None:
        await sync_to_async(sols.client.post)("/accounts/logout/")
        await accept(self)

    monkeypatch.setattr(AsyncWebsocketConsumer, "accept", accept_late)
    for path in (f"/ws/spaces/{tea.pk}/", "/ws/fleet/"):
        await sync_to_async(sols.client.force_login)(sol)
        socket = Socket(application, path, headers=await sync_to_async(sols._cookie)())
        assert (await socket.connect(timeout=WAIT_SECONDS))[0]
        assert await code_of(socket) == Close.LOG_IN
        await socket.disconnect(timeout=WAIT_SECONDS)


def test_the_session_is_gone_before_its_pages_hear_of_it(sol: User, monkeypatch: pytest.MonkeyPatch) -> None:
    browser, sessions = Browser(sol), list[int]()
    monkeypatch.setattr(events.layer, "send", lambda *args: sessions.append(Session.objects.count()))
    browser.client.post("/accounts/logout/")
    assert set(sessions) == {0}


@pytest.mark.asyncio
async def test_a_session_that_is_ended_in_the_list_closes_its_pages_alone(tea: Space, sol: User, sols: Browser) -> None:
    here = await sync_to_async(Browser)(sol)
    there, mine = await sols.enter(tea), await here.fleet()
    row = await sol.sessions.aget(session=await sync_to_async(lambda: sols.client.session.session_key)())
    await sync_to_async(here.client.post)(f"/me/sessions/{row.pk}/end/")
    assert await there.closed() == Close.LOG_IN
    await sync_to_async(here.client.post)("/me/sessions/end/")
    assert await code_of(mine) == Close.LOG_IN
    for socket in (there.socket, mine):
        await socket.disconnect(timeout=WAIT_SECONDS)
