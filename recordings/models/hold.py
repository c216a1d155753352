"""Holds: what keeps a recording beyond its date, and how long."""

import uuid
from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from recordings.rules import LONGEST_HOLD


class HoldQuerySet(models.QuerySet["Hold"]):
    def active(self, now: datetime) -> Self:
        return self.filter(released_at=None, until__gt=now)


class Hold(models.Model):
    """A reason to keep a recording until a day. `case_ref` is an id of the app above, opaque here.

    `placed_at` is when the day was last set: when the hold was placed, or renewed by a person. The verbs that
    place, renew and release a hold are those of its recording, because they move the date of the purge.
    """

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
            models.CheckConstraint(condition=Q(until__lte=F("placed_at") + LONGEST_HOLD), name="hold_ends"),
            models.UniqueConstraint(
                fields=["recording", "kind", "case_ref"], condition=Q(released_at=None), name="hold_once_per_case"
            ),
        ]
        indexes = [models.Index(fields=["recording", "released_at", "until"])]

    def __str__(self) -> str:
        return f"{self.kind} {self.case_ref} until {self.until:%Y-%m-%d}"

    def is_active(self, now: datetime | None = None) -> bool:
        return self.released_at is None and self.until > (now or timezone.now())
