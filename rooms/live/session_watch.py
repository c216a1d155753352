"""Closes websockets whose session or token has expired or was deleted by hand. No signal tells of that.

All websockets of a process are checked together, once in CHECK_SECONDS.
"""

import asyncio
from collections.abc import Collection
from typing import Protocol

import structlog

from accounts.sessions import lasting
from accounts.sessions.lasting import Opened
from rooms.loops import PerLoop, database

CHECK_SECONDS = 50.0  # a page stays open at most a minute longer than its session
RENEWAL_SECONDS = 2.0  # in which a page hears that a new password has renewed its session

log = structlog.get_logger(__name__)


class Page(Protocol):
    """A websocket that ends with what it was opened with."""

    opened_with: Opened | None

    async def log_out(self) -> None: ...


class SessionWatch:
    """The websockets of one event loop."""

    def __init__(self) -> None:
        self.pages: set[Page] = set()
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            try:
                await self._check()
            except Exception:  # a short failure of the database must not end the checks
                log.exception("sessions_not_checked")

    async def _check(self) -> None:
        opened = {page: page.opened_with for page in self.pages if page.opened_with is not None}
        still = await _lasting(set(opened.values()))
        ended = {page: before for page, before in opened.items() if before.digest not in still}
        if ended:
            await asyncio.sleep(RENEWAL_SECONDS)
        for page, before in ended.items():
            if page.opened_with == before:
                await page.log_out()

    def stop(self) -> None:
        self._task.cancel()


@database
def _lasting(opened: Collection[Opened]) -> set[str]:
    return lasting.lasting(opened)


_watches = PerLoop(SessionWatch)


def join(page: Page) -> None:
    """Check `page` from now on, until `leave`."""
    _watches.get().pages.add(page)


def leave(page: Page) -> None:
    """Undo `join`. Does nothing if there was none."""
    watch = _watches.peek()
    if watch is None:
        return
    watch.pages.discard(page)
    if not watch.pages:
        _watches.pop()
        watch.stop()
