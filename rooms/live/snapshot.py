"""The whole Space as one frame: the first frame of every connection, and the API's view of a Space."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connection, transaction

from rooms import protocol
from rooms.models import Participant, Space
from rooms.protocol import parts
from rooms.rules import Role
from rooms.store import standing

FACES = 100  # pages of Spaces with more listeners get numbers only (`rooms/live/ticker.py`)


@contextmanager
def one_moment() -> Iterator[None]:
    """A transaction in which all rows, and the number of the last event, are of one moment.

    PostgreSQL shows what was committed when it began. A storm of joins would have to wait for a lock.
    """
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def of(space: Space, me: Participant) -> protocol.Snapshot:
    """The snapshot of a Space for one person in it."""
    return protocol.Snapshot(
        seq=space.seq,
        now=time.time(),
        space=facts(space),
        you=parts.You(participant=str(me.pk), notice_accepted=me.notice_accepted_at is not None),
        stage=[person.person() for person in space.stage()],
        requests=[request.shown() for request in space.open_requests()],
        listeners=space.listener_count,
        faces=_faces(space, me),
        standing=space.standing_version,
        in_effect=standing.in_effect(space.pk),
        boot=space.sounding_boot,
    )


def _faces(space: Space, me: Participant) -> list[parts.Person]:
    """The listeners who came first, and in any case `me` if they listen."""
    first = space.listeners()[:FACES].persons()
    mine = me.person()
    return (
        first if me.on_stage or mine.participant in {one.participant for one in first} else [*first[: FACES - 1], mine]
    )


def facts(space: Space) -> parts.SpaceFacts:
    """What a page shows of the Space beside the people in it."""
    host = space.participants.filter(role=Role.HOST).first()
    away_until = host.away_until if host else None
    return parts.SpaceFacts(
        space=str(space.pk),
        title=space.title,
        description=space.description,
        audience=space.audience,
        host=space.host.handle,
        started_at=space.started_at.timestamp() if space.started_at else 0.0,
        max_speakers=settings.SPACES_MAX_SPEAKERS,
        host_came=host is not None and host.connected_at is not None,
        host_away_until=away_until.timestamp() if away_until else None,
    )
