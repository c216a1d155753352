"""Calls of a node: its answers and refusals are read as types, and what no node says is no answer."""

from collections.abc import AsyncIterator, Callable

import aiohttp
import pytest
from aiohttp import web

from rooms.media.contract.held import Peers
from rooms.media.contract.joining import Refusal
from rooms.nodes import http

REFUSED = '{"error": "full", "detail": "10 peers"}'


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with http.client() as session:
        yield session


@pytest.fixture
async def answering() -> AsyncIterator[Callable]:
    """`url = await answering(status, text)`: a server that answers every request in this way."""
    runners: list[web.AppRunner] = []

    async def start(status: int, text: str) -> str:
        async def answer(request: web.Request) -> web.Response:
            return web.Response(status=status, text=text or None)

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", answer)
        runners.append(web.AppRunner(app))
        await runners[-1].setup()
        await web.TCPSite(runners[-1], "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runners[-1].addresses[0][1]}/spaces/tea"

    yield start
    for runner in runners:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("status", "text", "expected"),
    [
        (200, '{"peers": 3}', http.Answer(200, {"peers": 3})),
        (204, "", http.Answer(204, {})),
        (503, REFUSED, http.Answer(503, {"error": "full", "detail": "10 peers"}, Refusal("full", "10 peers"))),
    ],
)
async def test_an_answer_is_read(
    session: aiohttp.ClientSession, answering: Callable, status: int, text: str, expected: http.Answer
) -> None:
    assert await http.ask(session, "GET", await answering(status, text)) == expected


@pytest.mark.parametrize(
    ("status", "text"),
    [(200, "no json"), (200, "[1]"), (404, ""), (404, '{"error": "no_space"}'), (502, "<html>Bad gateway</html>")],
)
async def test_what_no_node_says_is_no_answer(
    session: aiohttp.ClientSession, answering: Callable, status: int, text: str
) -> None:
    url = await answering(status, text)
    with pytest.raises(http.NoAnswer):
        await http.ask(session, "GET", url)
    assert await http.call(session, "GET", url) is None


async def test_a_node_that_is_gone_gives_no_answer(session: aiohttp.ClientSession) -> None:
    with pytest.raises(http.NoAnswer):
        await http.ask(session, "GET", "http://127.0.0.1:1/spaces/tea")


async def test_a_call_gives_the_body_and_nothing_of_a_refusal(
    session: aiohttp.ClientSession, answering: Callable
) -> None:
    assert await http.call(session, "GET", await answering(200, '{"peers": 3}')) == {"peers": 3}
    assert await http.call(session, "PUT", await answering(204, "")) == {}
    assert await http.call(session, "GET", await answering(503, REFUSED)) is None


@pytest.mark.parametrize(
    ("status", "text", "fetched"),
    [
        (200, '{"participants": ["a", "b"]}', Peers(frozenset("ab"))),
        (200, '{"participants": 3}', None),
        (503, REFUSED, None),
        (502, "<html>Bad gateway</html>", None),
    ],
)
async def test_what_is_fetched_has_its_type_or_is_none(
    session: aiohttp.ClientSession, answering: Callable, status: int, text: str, fetched: Peers | None
) -> None:
    assert await http.fetch(session, await answering(status, text), Peers) == fetched
