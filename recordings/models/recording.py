"""The recording of a Space: opened with it, closed with it, mixed, kept until its date, purged."""

import logging
import uuid
from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import models, transaction
from django.db.models import Max, Q, Sum
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from recordings import files
from recordings.chunks import ChunkMeta, ChunkRefused, meta_of
from recordings.models.hold import Hold
from recordings.models.mixable import GONE, Mixable, MixQuerySet, State
from recordings.models.receipt import Receipt, digest_of
from recordings.models.track import Chunk, Track
from recordings.refusals import check
from recordings.rules import hold_refusal, renewal_refusal
from rooms.media.capture.ogg import OggError
from rooms.models import Space

log = logging.getLogger(__name__)

SETTLE = timedelta(seconds=10)  # from the end, or a late chunk, to the mix: a node flushes within 5 s
COLLECT_OPEN = timedelta(minutes=5)  # between two searches of the storage for files without a message
COLLECT_ENDED = timedelta(hours=1)
COLLECT_OLD = timedelta(days=1)
MIXED_FOLDER = "mixed"


class RecordingQuerySet(MixQuerySet):
    def forgotten(self) -> Self:
        """Still open although the Space has ended."""
        return self.filter(state=State.OPEN, space__state=Space.State.ENDED)

    def to_collect(self, now: datetime) -> Self:
        return self.exclude(state__in=GONE).filter(collect_at__lte=now)

    def due(self, now: datetime) -> Self:
        """Perhaps past the date (`purge` checks exactly), or with a purge that was interrupted."""
        ended = now - timedelta(days=settings.RECORDING_RETENTION_DAYS)
        over = Q(state__in=[State.CLOSING, State.MIXED]) & (Q(purge_at__lte=now) | Q(ended_at__lte=ended))
        return self.filter(over | Q(state=State.PURGING))


DATED = Q(ended_at__isnull=False, retained_until__isnull=False, purge_at__isnull=False)


class Recording(Mixable):
    """The recording of one Space. Its files are in the storage, in a folder named after the Space."""

    State = State

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    space = models.OneToOneField(Space, models.PROTECT, related_name="recording", verbose_name=_("space"))
    started_at = models.DateTimeField(_("started"))
    ended_at = models.DateTimeField(_("ended"), null=True)
    retained_until = models.DateTimeField(
        _("retained until"), null=True
    )  # the date without holds, as promised at the end
    purge_at = models.DateTimeField(_("purge at"), null=True)
    purged_at = models.DateTimeField(_("purged"), null=True)
    collect_at = models.DateTimeField(null=True)  # when the storage is searched next

    objects = RecordingQuerySet.as_manager()

    class Meta:
        verbose_name = _("recording")
        verbose_name_plural = _("recordings")
        constraints = [models.CheckConstraint(condition=Q(state="open") | DATED, name="recording_end_has_date")]
        indexes = [
            models.Index(fields=["state", "purge_at"]),
            models.Index(fields=["state", "mix_at"]),
            models.Index(fields=["collect_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.space_id} {self.state}"

    @property
    def prefix(self) -> str:
        """The folder of its files."""
        return str(self.space_id)

    @property
    def is_gone(self) -> bool:
        return self.state in GONE

    @classmethod
    def locked(cls, pk: uuid.UUID) -> "Recording":
        """The row, fresh and locked until the transaction ends."""
        return cls.objects.select_for_update(of=("self",)).select_related("space").get(pk=pk)

    # Capture

    @classmethod
    def open_for(cls, space: Space) -> "Recording":
        """The recording of a Space that has started, created if needed. Safe to repeat."""
        now = timezone.now()
        made = {"started_at": space.started_at or now, "collect_at": now + COLLECT_OPEN}
        return cls.objects.get_or_create(space=space, defaults=made)[0]

    def add_chunk(self, meta: ChunkMeta, key: str = "") -> "Chunk | None":
        """Take a file of the storage into the rows. Safe to repeat. After the purge: delete the file and return None.

        `key` is its place, by default its own name. Raises ChunkRefused if it does not belong to this Space.
        """
        key = key or meta.key
        if not key.startswith(f"{self.prefix}/"):
            raise ChunkRefused(f"outside the folder of the recording: {key}")
        with transaction.atomic():
            recording = Recording.locked(self.pk)
            if recording.is_gone:
                files.remove(key)
                return None
            if meta.space != recording.space_id:
                raise ChunkRefused(f"of another Space: {meta.space}")
            track = recording.tracks.of(meta)
            facts = {"duration_ms": meta.duration_ms, "key": key, "size": meta.size, "sha256": meta.sha256}
            chunk, created = track.chunks.get_or_create(start_ms=meta.start_ms, defaults=facts)
            if created:
                recording._plan_mix(timezone.now())
            else:
                chunk.drop_copy(key, meta.sha256)
        return chunk

    @transaction.atomic
    def mix_again(self) -> None:
        """Mix the recording again. Safe to repeat. Does nothing while the Space is live, or after the purge."""
        recording = Recording.locked(self.pk)
        if not recording.is_gone:
            recording._plan_mix(timezone.now())

    def _plan_mix(self, now: datetime) -> None:
        """Let the mix begin after SETTLE, in which more chunks may arrive. Do nothing while the Space is live."""
        if self.state == State.OPEN:
            return
        self.state, self.mix_at = State.CLOSING, now + SETTLE
        self.save(update_fields=["state", "mix_at"])

    def collect(self) -> int:
        """Take in files without a message, and delete unfinished mixes. Returns how many files were taken in."""
        listed = list(files.walk(self.prefix))
        self.refresh_from_db()  # after the listing, so that a mix finished meanwhile is known
        now, known = timezone.now(), self.file_keys()
        found = [key for key in listed if key not in known]
        taken = sum(self._take_in(key) for key in found if not self._is_mixed(key))
        for key in found:
            if self._is_mixed(key) and not self.is_being_written(key, now):
                files.remove(key)
        Recording.objects.filter(pk=self.pk).update(collect_at=now + self._collect_pause(now))
        return taken

    def file_keys(self) -> set[str]:
        """The keys of all files that the rows name."""
        chunks = set(self.tracks.filter(chunks__isnull=False).values_list("chunks__key", flat=True))
        return (chunks | {self.mix_key, self.waveform_key}) - {""}

    def _is_mixed(self, key: str) -> bool:
        return key.startswith(f"{self.prefix}/{MIXED_FOLDER}/")

    def is_being_written(self, key: str, now: datetime) -> bool:
        """Whether a worker writes this file of a mix right now."""
        return self.is_claimed(now) and self._is_mixed(key) and self.claimed_by in key

    def _take_in(self, key: str) -> bool:
        try:
            return self.add_chunk(meta_of(files.read(key)), key) is not None
        except FileNotFoundError:
            return False
        except (OggError, ChunkRefused) as error:  # half written, or damaged: `verify` reports those that stay
            log.warning("%s is not a chunk: %s", key, error)
            return False

    def _collect_pause(self, now: datetime) -> timedelta:
        if self.ended_at is None:
            return COLLECT_OPEN
        return COLLECT_ENDED if now - self.ended_at < timedelta(days=1) else COLLECT_OLD

    @transaction.atomic
    def close(self) -> None:
        """Set the date of the purge after the Space has ended, and let the mix begin soon. Safe to repeat."""
        recording = Recording.locked(self.pk)
        if recording.state != State.OPEN:
            return
        now = timezone.now()
        recording.state, recording.ended_at = State.CLOSING, recording.space.ended_at or now
        recording.mix_at = recording.collect_at = now + SETTLE
        recording._date(now)
        recording.save(update_fields=["state", "ended_at", "retained_until", "purge_at", "mix_at", "collect_at"])

    # Keeping and purging

    @transaction.atomic
    def hold(self, kind: str, case_ref: str, until: datetime, reason: str = "", by: User | None = None) -> Hold:
        """Keep the sound until a day, at most 90 days ahead. `by` is None if a report places the hold.

        A case has at most one hold of a kind; a later day moves it. Raises Refused.
        """
        recording, now = Recording.locked(self.pk), timezone.now()
        check(hold_refusal(recording.is_gone, until, now))
        placed = {"until": until, "placed_at": now, "reason": reason, "by": by}
        hold, created = recording.holds.get_or_create(kind=kind, case_ref=case_ref, released_at=None, defaults=placed)
        if not created and hold.until < until:
            hold.until, hold.placed_at = until, now
            hold.save(update_fields=["until", "placed_at"])
        recording.set_date(now)
        return hold

    @transaction.atomic
    def renew_hold(self, hold: Hold, until: datetime, by: User, reason: str = "") -> None:
        """Keep the sound until another day, by a person's decision. Raises Refused."""
        recording, now = Recording.locked(self.pk), timezone.now()
        hold.refresh_from_db(from_queryset=recording.holds.all())
        check(renewal_refusal(hold.released_at is not None))
        check(hold_refusal(recording.is_gone, until, now))
        hold.placed_at, hold.until, hold.by, hold.renewals = now, until, by, hold.renewals + 1
        hold.reason = reason or hold.reason
        hold.save(update_fields=["placed_at", "until", "by", "renewals", "reason"])
        recording.set_date(now)

    @transaction.atomic
    def release_hold(self, hold: Hold, by: User | None = None) -> None:
        """Let the sound go at its ordinary date; `by` is None if the case itself ended. Safe to repeat."""
        recording, now = Recording.locked(self.pk), timezone.now()
        hold.refresh_from_db(from_queryset=recording.holds.all())
        if hold.released_at is not None:
            return
        hold.released_at, hold.released_by = now, by
        hold.save(update_fields=["released_at", "released_by"])
        recording.set_date(now)

    def set_date(self, now: datetime) -> None:
        """Set the date of the purge by retention and holds. The caller holds the lock."""
        if self.ended_at is not None and not self.is_gone:
            self._date(now)
            self.save(update_fields=["retained_until", "purge_at"])

    def _date(self, now: datetime) -> None:
        """Set both dates by the present setting and holds.

        A shorter RECORDING_RETENTION_DAYS counts at once. A longer one counts only for Spaces that end later: people
        were promised the shorter one.
        """
        assert self.ended_at is not None
        wanted = self.ended_at + timedelta(days=settings.RECORDING_RETENTION_DAYS)
        self.retained_until = min(self.retained_until or wanted, wanted)
        last = self.holds.active(now).aggregate(last=Max("until"))["last"]
        self.purge_at = max(self.retained_until, last) if last else self.retained_until

    def is_overdue(self, now: datetime) -> bool:
        """Whether it should be gone by now, by the present setting and holds; the date in the row may be old."""
        if self.ended_at is None or self.is_gone:
            return False
        self._date(now)
        return self.purge_at is not None and self.purge_at <= now

    def purge(self) -> Receipt | None:
        """Delete every file, then the rows, and write the receipt. Safe to repeat. None if it is not due.

        The first step is committed before any file is deleted, so the next run finishes an interrupted purge.
        """
        if not self._begin_purge(timezone.now()):
            return None
        files.remove_tree(self.prefix)
        return self._end_purge()

    @transaction.atomic
    def _begin_purge(self, now: datetime) -> bool:
        recording = Recording.objects.select_for_update(skip_locked=True).filter(pk=self.pk).first()
        if recording is None or recording.state in (State.OPEN, State.PURGED):
            return False
        if recording.state == State.PURGING:
            return True
        recording.set_date(now)
        if not recording.is_overdue(now):
            return False
        recording.state = State.PURGING
        recording.save(update_fields=["state"])
        return True

    @transaction.atomic
    def _end_purge(self) -> Receipt | None:
        recording, now = Recording.locked(self.pk), timezone.now()
        if recording.state != State.PURGING:  # another worker has finished it
            return None
        files.remove_tree(recording.prefix)  # what a worker wrote meanwhile
        receipt = recording._receipt(now)
        Chunk.objects.filter(track__recording=recording).delete()
        recording.tracks.all().delete()
        gone = {"state": State.PURGED, "purged_at": now, "mix_key": "", "waveform_key": "", "mix_sha256": ""}
        gone |= {"waveform_sha256": "", "claimed_at": None, "claimed_by": "", "error": "", "collect_at": None}
        Recording.objects.filter(pk=recording.pk).update(**gone)
        return receipt

    def _receipt(self, now: datetime) -> Receipt:
        chunks = Chunk.objects.filter(track__recording=self)
        sums = chunks.aggregate(octets=Sum("size", default=0), milliseconds=Sum("duration_ms", default=0))
        hashes = chunks.values_list("sha256", flat=True)
        return Receipt.objects.create(
            recording=self.pk,
            space=self.prefix,
            tracks=self.tracks.count(),
            chunks=chunks.count(),
            files=len(self.file_keys()),
            digest=digest_of(hashes),
            due_at=self.purge_at,
            purged_at=now,
            why=Receipt.Why.RETENTION,
            **sums,
        )

    def turn_chunks(self) -> "models.QuerySet[Chunk]":
        """The chunks of the turns, of which the mix is made."""
        return Chunk.objects.filter(track__recording=self, track__kind=Track.Kind.TURN)
