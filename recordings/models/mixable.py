"""The mix of a recording as work in its row: a worker claims it, renews the claim, and finishes or fails."""

import os
import socket
import uuid
from datetime import datetime, timedelta
from typing import Any, Self

from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

LEASE = timedelta(minutes=5)  # a claim not renewed for this long belongs to a dead worker
REQUEUE = timedelta(minutes=10)  # a queued mix that no worker has claimed by then is queued again
BACKOFF = timedelta(seconds=30)  # after a failure, doubled each time
LONGEST_BACKOFF = timedelta(hours=1)


class ClaimLost(Exception):
    """Another worker claimed the recording, or it was purged: stop, and leave nothing behind."""


class State(models.TextChoices):
    """The states of a recording, in their order."""

    OPEN = "open", _("open")
    CLOSING = "closing", _("closing")
    MIXED = "mixed", _("mixed")
    PURGING = "purging", _("purging")  # from here on it cannot come back
    PURGED = "purged", _("purged")


GONE = (State.PURGING, State.PURGED)


class MixQuerySet(models.QuerySet[Any]):
    def unclaimed(self, now: datetime) -> Self:
        return self.filter(Q(claimed_at=None) | Q(claimed_at__lt=now - LEASE))

    def to_mix(self, now: datetime) -> Self:
        return self.unclaimed(now).filter(state=State.CLOSING, mix_at__lte=now)

    def queue(self, pk: uuid.UUID, now: datetime) -> bool:
        """Mark one of `to_mix` as queued. Of two calls at once, only one gets True."""
        return self.to_mix(now).filter(pk=pk).update(mix_at=now + REQUEUE) == 1


class Mixable(models.Model):
    """The mix of a recording. Its file is named after the claim, so two workers never write the same file.

    `Recording` is the only child. The mix has no row of its own: it ends with the recording, under the same lock. It is
    a class apart because mixing and keeping share nothing but that row, and together would fill a file twice as long.
    """

    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.OPEN)
    mix_at = models.DateTimeField(null=True)  # not earlier
    claimed_at = models.DateTimeField(_("claimed"), null=True)  # renewed while a worker mixes
    claimed_by = models.CharField(_("claimed by"), max_length=120, blank=True)
    progress = models.PositiveSmallIntegerField(_("progress, %"), default=0)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    error = models.TextField(_("last error"), blank=True)
    mixed_at = models.DateTimeField(_("mixed"), null=True)
    mix_key = models.CharField(_("mix"), max_length=200, blank=True)
    mix_sha256 = models.CharField(max_length=64, blank=True)
    waveform_key = models.CharField(_("waveform"), max_length=200, blank=True)
    waveform_sha256 = models.CharField(max_length=64, blank=True)
    duration_ms = models.PositiveBigIntegerField(_("duration, ms"), default=0)
    loudness = models.FloatField(_("loudness, LUFS"), null=True)
    damaged = models.PositiveIntegerField(_("damaged chunks"), default=0)

    class Meta:
        abstract = True

    def claim(self) -> str:
        """Claim the mix of this recording. Returns the name of the claim, or an empty text if another worker has it."""
        now, name = timezone.now(), f"{socket.gethostname()[:60]}-{os.getpid()}-{uuid.uuid4().hex}"
        free = self._rows().unclaimed(now).filter(state=State.CLOSING)
        return name if free.update(claimed_at=now, claimed_by=name, progress=0, attempts=F("attempts") + 1) else ""

    def is_claimed(self, now: datetime) -> bool:
        return self.claimed_at is not None and self.claimed_at >= now - LEASE

    def renew(self, claim: str, progress: float) -> None:
        """Renew the claim, with 0..1 of the work done. Raises ClaimLost."""
        mine = self._rows().filter(claimed_by=claim, state=State.CLOSING)
        if not mine.update(claimed_at=timezone.now(), progress=round(100 * progress)):
            raise ClaimLost

    @transaction.atomic
    def finish(self, claim: str, facts: dict[str, object], chunks: int) -> bool:
        """Write the result of a mix of `chunks` chunks. False if more have arrived, so that it is mixed again.

        Raises ClaimLost.
        """
        recording, now = self._rows().select_for_update().get(), timezone.now()
        if recording.claimed_by != claim or recording.state != State.CLOSING:
            raise ClaimLost
        complete = bool(chunks == recording.turn_chunks().count())
        changed: dict[str, object] = {
            "state": State.MIXED if complete else State.CLOSING,
            "mixed_at": now,
            "progress": 100,
        }
        changed |= {"claimed_at": None, "claimed_by": "", "attempts": 0, "error": ""} | facts
        for name, value in changed.items():
            setattr(recording, name, value)
        recording.save(update_fields=list(changed))
        return complete

    def fail(self, claim: str, error: str) -> None:
        """Release the claim and try again later: 30 s after the first failure, then twice as long each time."""
        self.refresh_from_db(fields=["attempts"])
        pause = min(LONGEST_BACKOFF, BACKOFF * 2 ** min(self.attempts - 1, 10))
        given_back = {"claimed_at": None, "claimed_by": "", "error": error[:2000], "mix_at": timezone.now() + pause}
        self._rows().filter(claimed_by=claim).update(**given_back)

    def _rows(self) -> MixQuerySet:
        return MixQuerySet(type(self)).filter(pk=self.pk)
