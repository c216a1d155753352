"""The standing of a Space in Redis: the web side writes it, media nodes read it and acknowledge it.

`Space.standing` builds it from the rows.
"""

import msgspec
from django.db import transaction

from rooms.media.contract.standing import ACK_KEY, CHANNEL, ENDED_SECONDS, KEY, LEFT, Note, Standing
from rooms.store.client import redis_client

# Two verbs may reach Redis in the other order than they were committed, so only a newer standing is written.
_WRITE = """
local old = redis.call('GET', KEYS[1])
if old and cjson.decode(old).version > tonumber(ARGV[2]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1])
if tonumber(ARGV[4]) > 0 then redis.call('EXPIRE', KEYS[1], ARGV[4]); redis.call('EXPIRE', KEYS[2], ARGV[4]) end
return redis.call('PUBLISH', ARGV[3], ARGV[5])
"""


def write(standing: Standing) -> None:
    """Write a standing and notify the media nodes. Safe to repeat; an older version never replaces a newer one."""
    space = standing.space
    keys = KEY.format(space=space), ACK_KEY.format(space=space)
    lifetime = ENDED_SECONDS if standing.ended else 0
    data = msgspec.json.encode(standing).decode()
    note = Note(space, str(standing.version))
    redis_client().eval(_WRITE, 2, *keys, data, standing.version, CHANNEL, lifetime, str(note))


def in_effect(space_id: object) -> int:
    """The version that the media node has applied, 0 if none has."""
    return int(redis_client().get(ACK_KEY.format(space=space_id)) or 0)


def left(space_id: object, participant: object) -> None:
    """Notify the media node after commit that this person is out of the Space, so that it drops their peer.

    This is a hint. `rooms.nodes.strays` finds what it missed. The standing does not list people who came or left:
    listeners do so by the thousand, and may come back.
    """
    note = str(Note(str(space_id), str(participant)))
    transaction.on_commit(lambda: redis_client().publish(LEFT, note), robust=True)
