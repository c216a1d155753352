"""Calls of the HTTP interfaces of media nodes."""

from dataclasses import dataclass
from typing import Any

import aiohttp
import msgspec
import structlog
from django.conf import settings

SECONDS = 3.0

log = structlog.get_logger(__name__)


class NoAnswer(Exception):
    """Nobody answers, or nobody who speaks as a node does; the text says why."""


@dataclass(frozen=True)
class Answer:
    """What a node said; `body` is {} for nothing, and has an `error` where it refused."""

    status: int
    body: dict[str, Any]

    @property
    def ok(self) -> bool:
        return self.status < 400


def client(seconds: float = SECONDS, at_once: int = 0) -> aiohttp.ClientSession:
    """A session that shows the shared secret, to be closed by whoever asked for it.

    Calls may take `seconds`; `at_once` of them are under way to one node, 0 for as many as there are. Those to one node
    are of no concern to those to another: there is no limit for all of them together."""
    return aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=seconds),
        headers={"Authorization": f"Bearer {settings.MEDIA_SECRET}"},
        connector=aiohttp.TCPConnector(limit=0, limit_per_host=at_once),
    )


async def ask(session: aiohttp.ClientSession, method: str, url: str, body: Any = None) -> Answer:
    """What the node says, also where it refuses; `body` goes as JSON. Raises NoAnswer."""
    try:
        async with session.request(method, url, json=body) as response:
            said = await response.read()
            return Answer(response.status, msgspec.json.decode(said, type=dict[str, Any]) if said else {})
    except (aiohttp.ClientError, TimeoutError, msgspec.MsgspecError) as error:
        raise NoAnswer(str(error) or type(error).__name__) from None


async def call(session: aiohttp.ClientSession, method: str, url: str) -> dict[str, Any] | None:
    """What the node answers, {} for nothing; None where it refuses or does not answer."""
    try:
        answer = await ask(session, method, url)
    except NoAnswer as error:
        log.debug("node_unreachable", url=url, error=str(error))
        return None
    if not answer.ok:
        log.debug("node_refused", url=url, status=answer.status)
        return None
    return answer.body
