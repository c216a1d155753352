"""The standing of a Space: written from the rows to Redis, where media nodes read it."""

from typing import TYPE_CHECKING

import msgspec
from django.db import transaction

from rooms.media.contract.standing import ACK_KEY, CHANNEL, ENDED_SECONDS, KEY, LEFT, Standing, Voice
from rooms.rules import Mute
from rooms.store import client as store

if TYPE_CHECKING:
    from rooms.models import Participant, Space

PLACE = ("node_boot", "node_before", "node_from_ms")

# Writes only what is newer, then tells the nodes: commits of two verbs may reach Redis in either order.
_WRITE = """
local old = redis.call('GET', KEYS[1])
if old and cjson.decode(old).version > tonumber(ARGV[2]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1])
if tonumber(ARGV[4]) > 0 then redis.call('EXPIRE', KEYS[1], ARGV[4]); redis.call('EXPIRE', KEYS[2], ARGV[4]) end
return redis.call('PUBLISH', ARGV[3], ARGV[5] .. ' ' .. ARGV[2])
"""


def changed(space: "Space") -> None:
    """Raise the version of the standing and write it after commit. The caller holds the lock on the Space."""
    space.standing_version += 1
    space.save(update_fields=["standing_version"])
    transaction.on_commit(lambda: write(space), robust=True)


def write(space: "Space") -> None:
    """Write the standing as the rows are now. Safe to repeat; an older version never replaces a newer one."""
    space.refresh_from_db(fields=["standing_version", "state", *PLACE])
    standing = build(space)
    lifetime = ENDED_SECONDS if standing.ended else 0
    data = msgspec.json.encode(standing).decode()
    keys = KEY.format(space=space.pk), ACK_KEY.format(space=space.pk)
    store.client().eval(_WRITE, 2, *keys, data, standing.version, CHANNEL, lifetime, str(space.pk))


def build(space: "Space") -> Standing:
    """The standing from the rows."""
    removed = space.participants.exclude(removed_at=None, barred_at=None).values_list("pk", flat=True)
    return Standing(
        space=str(space.pk),
        version=space.standing_version,
        started_at=space.started_at.timestamp() if space.started_at else 0.0,
        ended=space.state != space.State.LIVE,
        voices=tuple(_voices(space)),
        removed=frozenset(str(pk) for pk in removed),
        node=space.node_boot,
        before=space.node_before,
        from_ms=space.node_from_ms,
    )


def _voices(space: "Space") -> list[Voice]:
    voices = []
    for person in space.stage():
        turn = person.turns.filter(ended_at=None).first()
        if turn is not None:
            voices.append(Voice(participant=str(person.pk), turn=str(turn.pk), muted=person.mute != Mute.OPEN))
    return voices


def in_effect(space_id: object) -> int:
    """The version that the media node has applied, 0 if none has."""
    return int(store.client().get(ACK_KEY.format(space=space_id)) or 0)


def left(person: "Participant") -> None:
    """Tell the node after commit that somebody is out, so that his peer is dropped.

    Only a hint: `rooms.nodes.strays` finds what it missed. The standing itself does not list who came and went, since
    listeners do so by thousands, and whoever left may come back."""
    note = f"{person.space_id} {person.pk}"
    transaction.on_commit(lambda: store.client().publish(LEFT, note), robust=True)
