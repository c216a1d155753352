"""What a media node says about a chunk beside its bytes: the message, checked on arrival."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from rooms.media.capture.tap import Chunk as Captured
from rooms.media.capture.tap import chunk_from

Natural = Annotated[int, Meta(ge=0, le=2**62)]


class ChunkRefused(ValueError):
    """This is no chunk of this recording. The text says why."""


class ChunkMeta(Struct, frozen=True, forbid_unknown_fields=True):
    """`turn` and `participant` are None for the listeners' mix. Times are ms of room time, `size` is in octets."""

    space: UUID
    turn: UUID | None
    participant: UUID | None
    start_ms: Natural
    duration_ms: Natural
    size: Natural
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]

    @property
    def key(self) -> str:
        turn, participant = (str(self.turn), str(self.participant)) if self.turn else (None, None)
        return Captured(str(self.space), turn, participant, self.start_ms, self.duration_ms, b"").key


def meta_of(data: bytes) -> ChunkMeta:
    """Read it from the file itself. Raises OggError if it is no Ogg file, ChunkRefused if its tags are not ours."""
    captured = chunk_from(data)
    facts = {name: getattr(captured, name) for name in ("space", "turn", "participant", "start_ms", "duration_ms")}
    return checked({**facts, "size": len(data), "sha256": captured.sha256})


def checked(message: dict[str, Any]) -> ChunkMeta:
    """The message as a ChunkMeta. Raises ChunkRefused if it is not one."""
    try:
        return msgspec.convert(message, ChunkMeta)
    except msgspec.ValidationError as error:
        raise ChunkRefused(str(error)) from error
