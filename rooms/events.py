"""The one door to the channel layer: what changed a Space leaves here, after commit, as a finished frame.

Channel-layer messages: `space.event` {frame, close, whom} to `space.<id>`, `space.<id>.levels` or `participant.<id>`;
`space.cut_off` {close} to `participant.<id>`; `fleet.event` {users, own} to `fleet`.
The layer is a hint: whoever misses a number asks for a snapshot.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
from channels.layers import get_channel_layer
from django.db import transaction
from django.db.models import F

from rooms import protocol
from rooms.store import client as store
from rooms.store import layer

if TYPE_CHECKING:
    from rooms.models import Space

FLEET = "fleet"


def group(space_id: object) -> str:
    return f"space.{space_id}"


def levels(space_id: object) -> str:
    """The group of those pages that are told how loud everybody is: whoever hears it seconds later is not."""
    return f"space.{space_id}.levels"


def personal(participant: object) -> str:
    """The group of one person's connections in one Space."""
    return f"participant.{participant}"


def publish(space: "Space", event: protocol.Sequenced, close: int = 0, whom: str = "") -> None:
    """Number `event` and send it to everyone in the Space after commit. The caller holds the lock on the Space.

    `close`: code with which connections are closed after the frame, of participant `whom` or, if empty, of all."""
    type(space).objects.filter(pk=space.pk).update(seq=F("seq") + 1)
    space.seq += 1
    frame = protocol.encode(msgspec.structs.replace(event, seq=space.seq))
    transaction.on_commit(lambda: layer.send(group(space.pk), _message(frame, close, whom)), robust=True)


def repeat(space: "Space", event: protocol.Sequenced, close: int = 0) -> None:
    """Send the last event of a Space once more, with the number that it has: whoever knows it already ignores it."""
    frame = protocol.encode(msgspec.structs.replace(event, seq=space.seq))
    transaction.on_commit(lambda: layer.send(group(space.pk), _message(frame, close, "")), robust=True)


async def hint(space_id: object, frame: dict[str, Any]) -> None:
    """Send an unnumbered frame (levels, in_effect, ...) to everyone in the Space, from a media node or a consumer."""
    event = msgspec.convert(frame, HINTS)
    to = levels(space_id) if isinstance(event, protocol.Levels) else group(space_id)
    await get_channel_layer().group_send(to, _message(protocol.encode(event), 0, ""))


async def whisper(participant: object, frame: dict[str, Any]) -> None:
    """Send an unnumbered frame (connection, waiting) to the pages of one person in a Space."""
    event = msgspec.convert(frame, WHISPERS)
    await get_channel_layer().group_send(personal(participant), _message(protocol.encode(event), 0, ""))


HINTS = (
    protocol.Levels
    | protocol.InEffect
    | protocol.SoundMoved
    | protocol.SoundMoving
    | protocol.Audience
    | protocol.Reactions
)
WHISPERS = protocol.Connection | protocol.Waiting


def audience_changed(space: "Space", entered: protocol.Person | None = None, left: str = "") -> None:
    """Note who came or went; `rooms.live.ticker` sends it, summed, at most twice a second."""
    note = msgspec.json.encode({"entered": entered, "left": left}).decode()
    transaction.on_commit(lambda: _note(store.AUDIENCE.format(space=space.pk), note), robust=True)


def cut_off(participant: object, close: int) -> None:
    """Close what connections somebody still has after commit, with this code: he is not in the Space any more."""
    message = {"type": "space.cut_off", "close": close}
    transaction.on_commit(lambda: layer.send(personal(participant), message), robust=True)


def fleet_changed(users: Iterable[UUID] = (), own: Iterable[UUID] = ()) -> None:
    """Tell the fleet lines of those who follow `users` that these went on or off a stage.

    `own`: whose lines changed because of what they follow, or may enter."""
    message = {"type": "fleet.event", "users": [str(pk) for pk in users], "own": [str(pk) for pk in own]}
    transaction.on_commit(lambda: layer.send(FLEET, message), robust=True)


def _note(key: str, note: str) -> None:
    with store.client().pipeline() as pipe:
        pipe.rpush(key, note).expire(key, store.SUM_SECONDS).execute()


def _message(frame: str, close: int, whom: str) -> dict[str, Any]:
    return {"type": "space.event", "frame": frame, "close": close, "whom": whom}
