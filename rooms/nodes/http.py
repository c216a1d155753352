"""Calls of the HTTP interfaces of media nodes."""

from dataclasses import dataclass
from typing import Any, TypeVar

import aiohttp
import msgspec
import structlog
from django.conf import settings

from rooms.media.contract.joining import Refusal
from rooms.media.contract.keys import bearer

T = TypeVar("T")

SECONDS = 3.0

log = structlog.get_logger(__name__)


class NoAnswer(Exception):
    """There is no answer, or none that a media node would give. The text says why."""


@dataclass(frozen=True)
class Answer:
    """What a node answered. `body` is {} for an empty answer. `refusal` says why the node refused, if it did."""

    status: int
    body: dict[str, Any]
    refusal: Refusal | None = None


def client(seconds: float = SECONDS, at_once: int = 0) -> aiohttp.ClientSession:
    """A session with the shared secret. The caller closes it.

    A call may take `seconds`. At most `at_once` calls to one node are under way, 0 means no limit. There is no limit
    over all nodes, so that calls to a slow node do not hold up others.
    """
    return aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=seconds),
        headers={"Authorization": bearer(settings.MEDIA_SECRET)},
        connector=aiohttp.TCPConnector(limit=0, limit_per_host=at_once),
    )


async def ask(session: aiohttp.ClientSession, method: str, url: str, body: Any = None) -> Answer:
    """Call a node and return its answer, also if it refuses. `body` is sent as JSON. Raises NoAnswer."""
    try:
        async with session.request(method, url, json=body) as response:
            text = await response.read()
            body = msgspec.json.decode(text, type=dict[str, Any]) if text else {}
            return Answer(response.status, body, msgspec.convert(body, Refusal) if response.status >= 400 else None)
    except (aiohttp.ClientError, TimeoutError, msgspec.MsgspecError) as error:
        raise NoAnswer(str(error) or type(error).__name__) from None


def read(body: dict[str, Any], kind: type[T]) -> T:
    """The answer of a node as its type. Raises NoAnswer if it is none, as that of another version may be."""
    try:
        return msgspec.convert(body, kind)
    except msgspec.ValidationError as error:
        raise NoAnswer(f"not a {kind.__name__}: {error}") from None


async def call(session: aiohttp.ClientSession, method: str, url: str) -> dict[str, Any] | None:
    """Call a node and return what it answers, {} for an empty answer. None if it refuses or does not answer."""
    try:
        answer = await ask(session, method, url)
    except NoAnswer as error:
        log.debug("node_unreachable", url=url, error=str(error))
        return None
    if answer.refusal is not None:
        log.debug("node_refused", url=url, status=answer.status, why=answer.refusal.detail)
        return None
    return answer.body


async def fetch(session: aiohttp.ClientSession, url: str, kind: type[T]) -> T | None:
    """What a node says at this address, as its type. None if it refuses, does not answer or says something else."""
    body = await call(session, "GET", url)
    try:
        return None if body is None else read(body, kind)
    except NoAnswer as error:
        log.warning("node_not_understood", url=url, error=str(error))
        return None
