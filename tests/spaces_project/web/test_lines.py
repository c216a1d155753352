"""Requests of one key wait in line, so that one member cannot take all connections to the database."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from spaces_project.web import lines
from spaces_project.web.lines import Limit, RequestLines, Turns, is_large, large

pytestmark = pytest.mark.asyncio


class Work:
    """An application whose requests end when the test says so."""

    def __init__(self) -> None:
        self.running = self.most = 0
        self.done = asyncio.Event()
        self.order: list[Any] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.running += 1
        self.most = max(self.most, self.running)
        self.order.append(scope.get("number"))
        try:
            await self.done.wait()
        finally:
            self.running -= 1
        await send({"type": "http.response.start", "status": 200, "headers": []})


async def ask(
    through: RequestLines | Turns, who: str | None = "dee", path: str = "/", number: int = 0, **scope: Any
) -> int:
    """The status of a request."""
    statuses: list[int] = []

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await through({"type": "http", "path": path, "who": who, "number": number, "headers": []} | scope, None, send)
    return statuses[0]


def through(work: Work, at_once: int = 2, waiting: int = 3) -> RequestLines:
    return RequestLines(work, lambda scope: scope["who"], Limit("test", at_once, waiting))


@pytest.fixture(autouse=True)
def _static(settings: Settings, tmp_path: Path) -> None:
    """One static file, and one file beside the folder."""
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STATIC_ROOT.mkdir()
    (settings.STATIC_ROOT / "app.js").write_text("", encoding="ascii")
    (tmp_path / "secret").write_text("", encoding="ascii")


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_a_few_are_worked_on_the_next_wait_and_the_rest_are_refused() -> None:
    work = Work()
    line = through(work)
    asked = [asyncio.create_task(ask(line, number=number)) for number in range(7)]
    await settle()
    assert work.running == 2
    assert [task.result() for task in asked if task.done()] == [503, 503]
    work.done.set()
    assert sorted(await asyncio.gather(*asked)) == [200] * 5 + [503] * 2
    assert (work.most, work.order) == (2, [0, 1, 2, 3, 4])
    assert line._lines == {}


async def test_others_do_not_wait() -> None:
    work = Work()
    line = through(work)
    tasks = [asyncio.create_task(ask(line)) for _ in range(4)]
    tasks += [asyncio.create_task(ask(line, "lior")), asyncio.create_task(ask(line, None))]
    tasks.append(asyncio.create_task(ask(line, path="/static/app.js")))
    await settle()
    assert work.running == 5  # two of dee, and the three others
    work.done.set()
    assert await asyncio.gather(*tasks) == [200] * 7


async def test_a_request_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "WAIT_SECONDS", 0.01)
    work = Work()
    line = through(work, at_once=1)
    first = asyncio.create_task(ask(line))
    await settle()
    assert await ask(line) == 503
    work.done.set()
    assert await first == 200
    assert line._lines == {}


async def test_a_browser_that_goes_away_gives_its_place_to_the_next() -> None:
    work = Work()
    line = through(work, at_once=1)
    first, second, third = (asyncio.create_task(ask(line, number=number)) for number in range(3))
    await settle()
    second.cancel()
    first.cancel()
    await settle()
    assert work.order == [0, 2]
    work.done.set()
    assert await third == 200
    assert line._lines == {}


async def test_a_turn_that_comes_while_one_goes_away_is_handed_on() -> None:
    work = Work()
    line = through(work, at_once=1)
    assert await line._enter("dee")
    second, third = (asyncio.create_task(ask(line, number=number)) for number in (2, 3))
    await settle()
    line._leave("dee")
    second.cancel()
    work.done.set()
    assert await third == 200
    await settle()
    assert line._lines == {}


async def test_a_fault_frees_the_place() -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise RuntimeError("broken")

    line = RequestLines(broken, lambda scope: "dee", Limit("test", 1, 0))
    for _ in range(3):
        with pytest.raises(RuntimeError):
            await ask(line)
    assert line._lines == {}


async def test_each_who_waits_has_a_turn_before_any_has_a_second() -> None:
    work = Work()
    turns = Turns(work, lambda scope: scope["who"], at_once=1)
    asked = [asyncio.create_task(ask(turns, "dee", number=number)) for number in range(4)]
    asked += [asyncio.create_task(ask(turns, "sol", number=10)), asyncio.create_task(ask(turns, "lior", number=20))]
    await settle()
    assert work.order == [0]
    work.done.set()
    assert await asyncio.gather(*asked) == [200] * 6
    assert work.order == [0, 1, 10, 20, 2, 3]
    assert (work.most, turns._working, turns._waiting) == (1, 0, {})


async def test_a_turn_of_a_browser_that_went_away_is_passed_on() -> None:
    work = Work()
    turns = Turns(work, lambda scope: scope["who"], at_once=1)
    first, second, third = (asyncio.create_task(ask(turns, number=number)) for number in range(3))
    await settle()
    second.cancel()
    await settle()
    work.done.set()
    assert await asyncio.gather(first, third) == [200, 200]
    assert (work.order, turns._working) == ([0, 2], 0)


async def test_static_files_and_large_bodies_take_no_turn() -> None:
    work = Work()
    turns = Turns(work, lambda scope: "dee", at_once=1)
    first = asyncio.create_task(ask(turns))
    static = asyncio.create_task(ask(turns, path="/static/app.js"))
    await settle()
    assert work.running == 2
    work.done.set()
    assert await asyncio.gather(first, static) == [200, 200]


@pytest.mark.parametrize(
    ("length", "found"), [(None, False), (b"100", False), (b"600000", True), (b"x", False), (b"-9", False)]
)
async def test_a_large_body_is_known_by_its_length(length: bytes | None, found: bool) -> None:
    scope = {"headers": [(b"content-length", length)] if length is not None else []}
    assert is_large(scope) == found
    assert large(scope) == ("large" if found else None)


@pytest.mark.parametrize(
    ("path", "client", "forwarded", "waits"),
    [
        ("/static/app.js", "203.0.113.9", False, False),
        ("/static/nope.js", "203.0.113.9", False, True),  # a page says that it is not there, and asks the database
        ("/static/../secret", "203.0.113.9", False, True),
        ("/static/", "203.0.113.9", False, True),
        ("/static/\0", "203.0.113.9", False, True),
        ("/health", "127.0.0.1", False, False),
        ("/health", "::1", False, False),
        ("/health", "127.0.0.1", True, True),  # through a proxy that is not named
        ("/health", "203.0.113.9", False, True),
        ("/healthxyz", "127.0.0.1", False, True),
    ],
)
async def test_only_files_that_are_there_and_the_machine_itself_do_not_wait(
    path: str, client: str, forwarded: bool, waits: bool
) -> None:
    work = Work()
    line = through(work, at_once=1, waiting=0)
    first = asyncio.create_task(ask(line))
    await settle()
    second = asyncio.create_task(ask(line, path=path, client=[client, 1], forwarded=forwarded))
    await settle()
    assert work.running == (1 if waits else 2)
    work.done.set()
    assert await asyncio.gather(first, second) == [200, 503 if waits else 200]


async def test_a_body_without_a_length_is_large() -> None:
    assert is_large({"headers": [(b"transfer-encoding", b"chunked")]})
    assert is_large({"headers": [(b"transfer-encoding", b"chunked"), (b"content-length", b"1")]})
