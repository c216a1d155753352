"""Credentials for the TURN servers, for members who are in a Space now, and not too often."""

import time
from uuid import UUID

from django.conf import settings

from rooms import protocol
from rooms.loops import database
from rooms.media.contract import turn
from rooms.models import Participant
from rooms.nodes.refusals import SoundReason, check
from rooms.protocol import parts
from rooms.store import keys
from rooms.store.client import async_redis_client

MOST_A_MINUTE = 6  # per member, over all pages and Spaces; a page asks once, and again before its credentials end


async def ice_servers(me: UUID, re: int | None = None) -> protocol.IceServers:
    """The servers with fresh credentials, bound to this member in this Space.

    Raises Refused if they are not in the Space, SoundRefused if they ask too often.
    """
    member, seconds = await _member(me), settings.TURN_CREDENTIAL_SECONDS
    if not settings.TURN_URLS:
        return protocol.IceServers(servers=[], seconds=seconds, re=re)
    await _count(member)
    username, credential = turn.credentials(settings.TURN_SECRET, str(me), int(time.time()) + seconds)
    server = parts.IceServer(urls=settings.TURN_URLS, username=username, credential=credential)
    return protocol.IceServers(servers=[server], seconds=seconds, re=re)


@database
def _member(me: UUID) -> UUID:
    return Participant.objects.hearing(me).user_id


async def _count(member: UUID) -> None:
    key = keys.TURN_REQUESTS.format(member=member)
    async with async_redis_client().pipeline() as pipe:
        _, count = await pipe.set(key, 0, ex=60, nx=True).incr(key).execute()
    check(SoundReason.RELAY_TOO_OFTEN if count > MOST_A_MINUTE else None)
