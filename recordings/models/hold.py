"""What keeps a recording beyond its date, and for how long at most."""

import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self

from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User

if TYPE_CHECKING:
    from recordings.models.recording import Recording

LONGEST = timedelta(days=90)  # after that a person looks again


class HoldRefused(Exception):
    """The hold cannot be placed, renewed or released; the text says why, for the person who asked."""


class HoldQuerySet(models.QuerySet["Hold"]):
    def active(self, now: datetime) -> Self:
        return self.filter(released_at=None, until__gt=now)


class Hold(models.Model):
    """A reason to keep a recording until a day. `case_ref` is an id of the app above, opaque here.

    `placed_at` is the last time that the day was set: placing, or renewing by a person."""

    class Kind(models.TextChoices):
        REPORT = "report", _("open report")
        BREACH = "breach", _("breach that was found")
        APPEAL = "appeal", _("appeal")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    recording = models.ForeignKey(
        "recordings.Recording", models.PROTECT, related_name="holds", verbose_name=_("recording")
    )
    kind = models.CharField(_("kind"), max_length=6, choices=Kind.choices)
    case_ref = models.CharField(_("case"), max_length=64)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", verbose_name=_("by"))
    reason = models.TextField(_("reason"), max_length=1000, blank=True)
    placed_at = models.DateTimeField(_("placed or renewed"))
    until = models.DateTimeField(_("until"))
    renewals = models.PositiveSmallIntegerField(_("renewals"), default=0)
    released_at = models.DateTimeField(_("released"), null=True)
    released_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", verbose_name=_("released by"))

    objects = HoldQuerySet.as_manager()

    class Meta:
        verbose_name = _("hold")
        verbose_name_plural = _("holds")
        constraints = [
            models.CheckConstraint(condition=Q(until__lte=F("placed_at") + LONGEST), name="hold_ends"),
            models.UniqueConstraint(
                fields=["recording", "kind", "case_ref"], condition=Q(released_at=None), name="hold_once_per_case"
            ),
        ]
        indexes = [models.Index(fields=["recording", "released_at", "until"])]

    def __str__(self) -> str:
        return f"{self.kind} {self.case_ref} until {self.until:%Y-%m-%d}"

    def is_active(self, now: datetime | None = None) -> bool:
        return self.released_at is None and self.until > (now or timezone.now())

    @transaction.atomic
    def renew(self, until: datetime, by: User, reason: str = "") -> None:
        """Keep the sound until another day, by a person's decision. Raises HoldRefused."""
        recording = self.recording.locked(self.recording_id)
        self.refresh_from_db()
        now = timezone.now()
        if self.released_at is not None:
            raise HoldRefused(_("This hold has been released; place a new one."))
        check(recording, until, now)
        self.placed_at, self.until, self.by, self.renewals = now, until, by, self.renewals + 1
        self.reason = reason or self.reason
        self.save(update_fields=["placed_at", "until", "by", "renewals", "reason"])
        recording.set_date(now)

    @transaction.atomic
    def release(self, by: User | None = None) -> None:
        """Let the sound go at its ordinary date; `by` is None where the case itself ended. Safe to repeat."""
        recording = self.recording.locked(self.recording_id)
        self.refresh_from_db()
        if self.released_at is not None:
            return
        now = timezone.now()
        self.released_at, self.released_by = now, by
        self.save(update_fields=["released_at", "released_by"])
        recording.set_date(now)


def check(recording: "Recording", until: datetime, now: datetime) -> None:
    """Raise HoldRefused if the sound cannot be kept until then."""
    if recording.is_gone:
        raise HoldRefused(_("The sound of this Space has been purged."))
    if until <= now:
        raise HoldRefused(_("A hold ends in the future."))
    if until > now + LONGEST:
        raise HoldRefused(_("A hold lasts 90 days at most; renew it then."))
