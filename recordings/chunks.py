"""What is told about a chunk beside its bytes: the message of a media node, checked where it comes in."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from rooms.media.capture.tap import Chunk as Captured
from rooms.media.capture.tap import chunk_from

Natural = Annotated[int, Meta(ge=0, le=2**62)]


class ChunkRefused(ValueError):
    """This is no chunk of this recording; the text says why."""


class ChunkMeta(Struct, frozen=True, forbid_unknown_fields=True):
    """`turn` and `participant` are None for the listeners' mix. Times in ms of room time, `size` in octets."""

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
    """Read it from the file itself; OggError where that is none, ChunkRefused where its tags are not ours."""
    captured = chunk_from(data)
    said = {name: getattr(captured, name) for name in ("space", "turn", "participant", "start_ms", "duration_ms")}
    return checked({**said, "size": len(data), "sha256": captured.sha256})


def checked(said: dict[str, Any]) -> ChunkMeta:
    """The message as a ChunkMeta; ChunkRefused where it is none."""
    try:
        return msgspec.convert(said, ChunkMeta)
    except msgspec.ValidationError as error:
        raise ChunkRefused(str(error)) from error
