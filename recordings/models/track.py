"""Tracks and their chunks: rows about the files that the media nodes shipped."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from recordings import files
from recordings.chunks import ChunkMeta, ChunkRefused
from rooms.models import Participant, Turn


class TrackManager(models.Manager["Track"]):
    def of(self, meta: ChunkMeta) -> "Track":
        """The track that a chunk of this recording belongs to, created if it is the first: `recording.tracks.of(meta)`.

        Raises ChunkRefused if the Space has no such turn.
        """
        if meta.turn is None:
            return self.get_or_create(kind=Track.Kind.MIX)[0]
        turn = Turn.objects.filter(pk=meta.turn, participant__space=meta.space, participant=meta.participant).first()
        if turn is None:
            raise ChunkRefused(f"no turn {meta.turn} of participant {meta.participant} in Space {meta.space}")
        made = {"kind": Track.Kind.TURN, "participant_id": meta.participant}
        return self.get_or_create(turn=turn, defaults=made)[0]


class Track(models.Model):
    """The sound of one turn, or the mix that the listeners heard."""

    class Kind(models.TextChoices):
        TURN = "turn", _("turn at the microphone")
        MIX = "mix", _("what the listeners heard")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    recording = models.ForeignKey(
        "recordings.Recording", models.PROTECT, related_name="tracks", verbose_name=_("recording")
    )
    kind = models.CharField(_("kind"), max_length=4, choices=Kind.choices)
    turn = models.OneToOneField(Turn, models.PROTECT, null=True, related_name="track", verbose_name=_("turn"))
    participant = models.ForeignKey(
        Participant, models.PROTECT, null=True, related_name="tracks", verbose_name=_("participant")
    )

    objects = TrackManager()

    class Meta:
        verbose_name = _("track")
        verbose_name_plural = _("tracks")
        constraints = [
            models.UniqueConstraint(fields=["recording"], condition=Q(kind="mix"), name="track_one_mix"),
            models.CheckConstraint(
                condition=Q(kind="mix", turn=None, participant=None)
                | Q(kind="turn", turn__isnull=False, participant__isnull=False),
                name="track_turn_has_person",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.turn_id or ''} of {self.recording_id}"


class Chunk(models.Model):
    """One file of at most 5 s. `start_ms` is room time; `sha256` is that of the file in the storage."""

    track = models.ForeignKey(Track, models.CASCADE, related_name="chunks", verbose_name=_("track"))
    start_ms = models.PositiveBigIntegerField(_("room time, ms"))
    duration_ms = models.PositiveIntegerField(_("duration, ms"))
    key = models.CharField(_("key"), max_length=200, unique=True)
    size = models.PositiveIntegerField(_("octets"))
    sha256 = models.CharField("SHA-256", max_length=64)

    class Meta:
        verbose_name = _("chunk")
        verbose_name_plural = _("chunks")
        constraints = [models.UniqueConstraint(fields=["track", "start_ms"], name="chunk_once")]

    def __str__(self) -> str:
        return self.key

    @property
    def end_ms(self) -> int:
        return self.start_ms + self.duration_ms

    def drop_copy(self, key: str, sha256: str) -> None:
        """Delete the file `key` if it is a copy of this chunk. Raises ChunkRefused if it differs."""
        if sha256 != self.sha256:
            raise ChunkRefused(f"another chunk begins at the time of {key}")
        if key != self.key:
            files.remove(key)
