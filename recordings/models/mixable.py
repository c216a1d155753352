"""The mix of a recording as work in the row: a worker claims it, renews the claim, and finishes or fails."""

import os
import socket
import uuid
from datetime import datetime, timedelta
from typing import Any, Self

from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

LEASE = timedelta(minutes=5)  # a claim that was not renewed for so long is of a dead worker
REQUEUE = timedelta(minutes=10)  # a queued mix that nobody took by then is queued again
BACKOFF = timedelta(seconds=30)  # after a failure, doubled each time
LONGEST_BACKOFF = timedelta(hours=1)


class ClaimLost(Exception):
    """Another worker took the recording over, or it was purged: stop, and leave nothing behind."""


class State(models.TextChoices):
    """Of a recording."""

    OPEN = "open", _("open")
    CLOSING = "closing", _("closing")
    MIXED = "mixed", _("mixed")
    PURGING = "purging", _("purging")  # from here on nothing brings it back
    PURGED = "purged", _("purged")


GONE = (State.PURGING, State.PURGED)


class MixQuerySet(models.QuerySet[Any]):
    def unclaimed(self, now: datetime) -> Self:
        return self.filter(Q(claimed_at=None) | Q(claimed_at__lt=now - LEASE))

    def to_mix(self, now: datetime) -> Self:
        return self.unclaimed(now).filter(state=State.CLOSING, mix_at__lte=now)

    def queue(self, pk: uuid.UUID, now: datetime) -> bool:
        """Mark one of `to_mix` as queued; of two that do it at once only one is told yes."""
        return self.to_mix(now).filter(pk=pk).update(mix_at=now + REQUEUE) == 1


class Mixable(models.Model):
    """What a recording has for its mix. The file of a mix is named after the claim, so that two never meet."""

    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.OPEN)
    mix_at = models.DateTimeField(null=True)  # not before
    claimed_at = models.DateTimeField(_("claimed"), null=True)  # renewed while the work goes on
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
        """Take the mix of this recording for oneself: the claim's name, empty if it is not to be had."""
        now, name = timezone.now(), f"{socket.gethostname()[:60]}-{os.getpid()}-{uuid.uuid4().hex}"
        free = self._rows().unclaimed(now).filter(state=State.CLOSING)
        return name if free.update(claimed_at=now, claimed_by=name, progress=0, attempts=F("attempts") + 1) else ""

    def is_claimed(self, now: datetime) -> bool:
        return self.claimed_at is not None and self.claimed_at >= now - LEASE

    def renew(self, claim: str, progress: float) -> None:
        """Say that the work goes on, 0..1 done. Raises ClaimLost."""
        mine = self._rows().filter(claimed_by=claim, state=State.CLOSING)
        if not mine.update(claimed_at=timezone.now(), progress=round(100 * progress)):
            raise ClaimLost

    @transaction.atomic
    def finish(self, claim: str, facts: dict[str, object], chunks: int) -> bool:
        """Write down the outcome; `chunks` is how many went into it. False if more have come: it is mixed again.

        Raises ClaimLost."""
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
        """Give the claim back, try again later: 30 s after the first failure, then twice as long each time."""
        self.refresh_from_db(fields=["attempts"])
        pause = min(LONGEST_BACKOFF, BACKOFF * 2 ** min(self.attempts - 1, 10))
        given_back = {"claimed_at": None, "claimed_by": "", "error": error[:2000], "mix_at": timezone.now() + pause}
        self._rows().filter(claimed_by=claim).update(**given_back)

    def _rows(self) -> MixQuerySet:
        return MixQuerySet(type(self)).filter(pk=self.pk)
