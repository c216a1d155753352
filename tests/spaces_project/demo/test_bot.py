"""One bot in one Space: it survives faults of the site, and knows when it is out."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer
from django.db import OperationalError

from rooms.media.client.peer import Client, Crowd
from rooms.protocol import Close
from spaces_project.demo.bots import bot as bots
from spaces_project.demo.bots import rows
from spaces_project.demo.bots.bot import Bot
from spaces_project.demo.bots.house import House, beside
from spaces_project.demo.bots.programme import SKY
from spaces_project.demo.bots.show import Show

SNAPSHOT = {"type": "snapshot", "you": {"participant": "m", "notice_accepted": True}, "stage": [], "requests": []}
PERSON = {"participant": "m", "handle": "idris", "mute": "open"}
SOON = 3.0  # seconds: much less than a bot waits for an answer
Answer = Callable[[web.WebSocketResponse, dict[str, Any]], Any]


async def obey(socket: web.WebSocketResponse, frame: dict[str, Any]) -> None:
    """Answer that a command was carried out, and bring those onto the stage who ask."""
    await socket.send_json({"type": "ok", "re": frame["id"]})
    if frame["type"] == "ask":
        await socket.send_json({"type": "voice", "person": PERSON})


async def hang_up(socket: web.WebSocketResponse, frame: dict[str, Any]) -> None:
    """Be gone without an answer."""
    await socket.close(code=1012)


class Site:
    """The far end of the websocket, which fails as the test wants. `came` counts connections."""

    def __init__(self) -> None:
        self.came, self.answer = 0, obey

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        self.came += 1
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json(SNAPSHOT)
        async for message in socket:
            frame = json.loads(message.data)
            if frame["type"] != "offer":  # this site has no node
                await self.answer(socket, frame)
        return socket


@pytest_asyncio.fixture
async def site(monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setattr(bots, "AGAIN_SECONDS", 0.01)
    monkeypatch.setattr(rows, "cookie_of", cookie)
    return Site()


async def cookie(handle: str) -> str:
    return f"sessionid={handle}"


@pytest_asyncio.fixture
async def house(site: Site) -> AsyncIterator[House]:
    application = web.Application()
    application.router.add_get("/ws/spaces/{space}/", site.serve)
    async with TestServer(application) as server, Crowd() as crowd, aiohttp.ClientSession() as session:
        yield House(str(server.make_url("")).rstrip("/"), crowd, session)


@asynccontextmanager
async def entered(house: House) -> AsyncIterator[Bot]:
    """idris in the Space of this site."""
    async with house.bot("idris", "s") as idris:
        assert await idris.until(lambda: bool(idris.replica.me), SOON)
        yield idris


async def test_a_fault_of_the_database_ends_no_bot(
    house: House, site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    faults = [OperationalError("the database is starting up")]

    async def failing(handle: str) -> str:
        if faults:
            raise faults.pop()
        return await cookie(handle)

    monkeypatch.setattr(rows, "cookie_of", failing)
    async with entered(house):
        assert site.came == 1
    assert "starting up" in caplog.text


async def test_an_answer_that_will_not_come_is_not_waited_for(house: House, site: Site) -> None:
    async with entered(house) as idris:
        site.answer = hang_up
        async with asyncio.timeout(SOON):
            assert not await idris.attempt("ask")
        site.answer = obey
        assert await idris.until(lambda: site.came > 1, SOON)


async def test_a_bot_asks_once_and_comes_onto_the_stage(house: House) -> None:
    async with entered(house) as idris:
        assert await idris.take_stage(SOON)
        idris.send = None  # type: ignore[assignment,method-assign]  # no second request
        assert await idris.take_stage(SOON)
        del idris.send


async def test_a_turn_in_a_space_that_has_ended_was_not_spoken(house: House) -> None:
    idris = house.bot("idris", "s")
    idris.client = house.crowd.add(Client())
    idris.replica.apply(SNAPSHOT | {"stage": [PERSON]})
    idris.out.set()
    assert not await idris.say("idris-1")


async def test_a_final_close_is_the_end(house: House, site: Site) -> None:
    async def end(socket: web.WebSocketResponse, frame: dict[str, Any]) -> None:
        await socket.close(code=Close.ENDED)

    async with entered(house) as idris:
        site.answer = end
        assert not await idris.attempt("ask")
        async with asyncio.timeout(SOON):
            await idris.out.wait()
    assert site.came == 1


async def test_voices_take_the_stage_again_in_the_next_round(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A voice may lose its place while a laptop sleeps."""
    show = Show(house, SKY, asyncio.Event())
    async with house.bot("nora", "s") as nora, entered(house) as idris:
        show.bots = {"nora": nora, "idris": idris}
        nora.out.set()  # so that a round ends before its first turn
        await show._round("s")
        assert idris.replica.mute == "open"
        idris.replica.apply({"type": "voice_gone", "participant": "m", "why": "left"})
        await show._round("s")
        assert idris.replica.mute == "open"


async def test_a_fault_beside_ends_the_body() -> None:
    async def fail() -> None:
        raise ValueError("a fault")

    with pytest.raises(ExceptionGroup) as raised:
        async with beside(fail()):
            await asyncio.Event().wait()
    assert raised.group_contains(ValueError, match="a fault")


async def test_what_runs_beside_is_over_when_the_context_is() -> None:
    steps = []

    async def work() -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.sleep(0)
        steps.append("over")

    async with beside(work()):
        await asyncio.sleep(0)
    assert steps == ["over"]
