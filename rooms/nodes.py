"""Calls of the HTTP faces of media nodes, by commands."""

import aiohttp
import msgspec
import structlog
from django.conf import settings

TIMEOUT = aiohttp.ClientTimeout(total=3)

log = structlog.get_logger(__name__)


def client() -> aiohttp.ClientSession:
    """A session that shows the shared secret, to be closed by whoever asked for it."""
    return aiohttp.ClientSession(timeout=TIMEOUT, headers={"Authorization": f"Bearer {settings.MEDIA_SECRET}"})


async def call(session: aiohttp.ClientSession, method: str, url: str) -> dict[str, object] | None:
    """What the node answers, {} for nothing; None where it refuses or does not answer."""
    try:
        async with session.request(method, url) as response:
            body = await response.read()
            if not response.ok:
                log.debug("node_refused", url=url, status=response.status)
                return None
            return msgspec.json.decode(body, type=dict[str, object]) if body else {}
    except (aiohttp.ClientError, TimeoutError, msgspec.MsgspecError) as error:
        log.debug("node_unreachable", url=url, error=str(error))
        return None
