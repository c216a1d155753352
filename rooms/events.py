"""How a change in a Space leaves for the pages: after commit, through the channel layer, as a finished frame.

Messages of the channel layer:

- `space.event` {frame, close, whom} to `space.<id>`, `space.<id>.levels` or `participant.<id>`
- `space.cut_off` {close} to `participant.<id>`
- `member.sessions_ended` {user, only, kept, renewed} to `member.<id>`, for pages in a Space
- `fleet.sessions_ended` {user, only, kept, renewed} to `fleet`
- `fleet.event` {users, own} to `fleet`

The layer is a hint. A page that misses a number asks for a snapshot.
"""

from collections.abc import Iterable
from functools import partial
from typing import Any
from uuid import UUID

import msgspec
from channels.layers import get_channel_layer
from django.db import transaction

from rooms import protocol
from rooms.protocol import Close, parts
from rooms.store import keys, layer
from rooms.store.client import redis_client

FLEET = "fleet"

Hint = (
    protocol.Levels
    | protocol.InEffect
    | protocol.SoundMoved
    | protocol.SoundMoving
    | protocol.Audience
    | protocol.Reactions
)
PersonalHint = protocol.Connection | protocol.Waiting


class AudienceNote(msgspec.Struct, frozen=True):
    """One listener who came, or the participant id of one who left. JSON in the list `keys.AUDIENCE`."""

    entered: parts.Person | None = None
    left: str = ""


def group(space_id: object) -> str:
    """The group of all connections in a Space."""
    return f"space.{space_id}"


def levels(space_id: object) -> str:
    """The group of the pages that get sound levels. A page that plays files hears seconds later, so it is not in it."""
    return f"space.{space_id}.levels"


def personal(participant: object) -> str:
    """The group of one person's connections in one Space."""
    return f"participant.{participant}"


def member(user: object) -> str:
    """The group of the connections of one member in any Space."""
    return f"member.{user}"


def send(space_id: object, frame: str, close: Close | None = None, whom: str = "") -> None:
    """Send a numbered frame to everyone in the Space after commit. `Space.publish` numbers it.

    `close`: why connections are closed after the frame, if they are. `whom`: only those of this participant.
    """
    message = _message(frame, close, whom)
    transaction.on_commit(lambda: layer.send(group(space_id), message), robust=True)


async def hint(space_id: object, event: Hint) -> None:
    """Send an unnumbered event to everyone in the Space, at once. Levels go only to the pages that want them."""
    to = levels(space_id) if isinstance(event, protocol.Levels) else group(space_id)
    await get_channel_layer().group_send(to, _message(protocol.encode(event)))


async def hint_to(participant: object, event: PersonalHint) -> None:
    """Send an unnumbered event to the pages of one person in a Space, at once."""
    await get_channel_layer().group_send(personal(participant), _message(protocol.encode(event)))


def audience_changed(space_id: object, entered: parts.Person | None = None, left: str = "") -> None:
    """Note who came or left. `rooms.live.ticker` sends the sum, at most twice a second."""
    note = msgspec.json.encode(AudienceNote(entered, left)).decode()
    transaction.on_commit(lambda: _note(keys.AUDIENCE.format(space=space_id), note), robust=True)


def cut_off(participant: object, close: Close) -> None:
    """Close the connections of a person who is no longer in the Space, after commit, with this code."""
    message = {"type": "space.cut_off", "close": int(close)}
    transaction.on_commit(lambda: layer.send(personal(participant), message), robust=True)


def sessions_ended(user: object, only: str, kept: str, renewed: str) -> None:
    """End the connections of a member after commit: those of the session `only`, or all but those of `kept`.

    The sessions are digests. `renewed` is what stands for `kept` from now on.
    """
    message = {"user": str(user), "only": only, "kept": kept, "renewed": renewed}
    for to, kind in ((member(user), "member.sessions_ended"), (FLEET, "fleet.sessions_ended")):
        transaction.on_commit(partial(layer.send, to, message | {"type": kind}), robust=True)


def fleet_changed(users: Iterable[UUID] = (), own: Iterable[UUID] = ()) -> None:
    """Send the fleet lines that may have changed a hint, after commit.

    `users`: went on or off a stage, so the lines of their followers change. `own`: people whose own line changes,
    because they follow someone new or may enter other Spaces.
    """
    message = {"type": "fleet.event", "users": [str(pk) for pk in users], "own": [str(pk) for pk in own]}
    transaction.on_commit(lambda: layer.send(FLEET, message), robust=True)


def _note(key: str, note: str) -> None:
    with redis_client().pipeline() as pipe:
        pipe.rpush(key, note).expire(key, keys.SUM_SECONDS).execute()


def _message(frame: str, close: Close | None = None, whom: str = "") -> dict[str, Any]:
    return {"type": "space.event", "frame": frame, "close": int(close or 0), "whom": whom}
