"""Who did what, written in the transaction of the act itself. The rows hold opaque ids and nothing to erase."""

from typing import Any
from uuid import UUID

from django.contrib.postgres.indexes import GinIndex
from django.db import connection, models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.rules import Deed
from moderation.models.append_only import AppendOnly, AppendOnlyQuerySet


class AuditQuerySet(AppendOnlyQuerySet):
    def deeds(self) -> "AuditQuerySet":
        """Changes of rights and of the standing of accounts."""
        return self.filter(verb__in=[deed.value for deed in Deed])

    def of_case(self, case: UUID) -> "AuditQuerySet":
        return self.filter(objects_touched__contains={"case": str(case)})


class AuditEvent(AppendOnly):
    """One act. `actor` and `objects_touched` are ids without foreign keys, so this row outlives the rows they name."""

    class Verb(models.TextChoices):
        REPORT_FILED = "report_filed", _("report filed")
        CASE_OPENED = "case_opened", _("case opened")
        CASE_READ = "case_read", _("case read")
        CASE_CLAIMED = "case_claimed", _("case claimed")
        CASE_RELEASED = "case_released", _("claim released")
        CASE_DECIDED = "case_decided", _("case decided")
        SOUND_FETCHED = "sound_fetched", _("sound fetched")
        WORDS_FORGOTTEN = "words_forgotten", _("texts erased")
        ACCOUNT_CLOSED = "account_closed", _("account closed")
        ACCOUNT_REOPENED = "account_reopened", _("account opened again")
        ACCOUNT_ERASED = "account_erased", _("account erased")
        REVIEWER_MADE = "reviewer_made", _("made a reviewer")  # in old rows; now staff_made and group_joined
        ACCOUNT_MADE = Deed.ACCOUNT_MADE.value, _("account made with rights")
        SUSPENDED = Deed.SUSPENDED.value, _("account suspended")
        SUSPENSION_LIFTED = Deed.SUSPENSION_LIFTED.value, _("suspension lifted")
        LOCKED = Deed.LOCKED.value, _("account disabled")
        UNLOCKED = Deed.UNLOCKED.value, _("account enabled")
        HOSTING_GRANTED = Deed.HOSTING_GRANTED.value, _("may host")
        HOSTING_WITHDRAWN = Deed.HOSTING_WITHDRAWN.value, _("may no longer host")
        STAFF_MADE = Deed.STAFF_MADE.value, _("made staff")
        STAFF_ENDED = Deed.STAFF_ENDED.value, _("no longer staff")
        SUPERUSER_MADE = Deed.SUPERUSER_MADE.value, _("made a superuser")
        SUPERUSER_ENDED = Deed.SUPERUSER_ENDED.value, _("no longer a superuser")
        GROUP_JOINED = Deed.GROUP_JOINED.value, _("joined a group")
        GROUP_LEFT = Deed.GROUP_LEFT.value, _("left a group")
        FACTOR_RESET = Deed.FACTOR_RESET.value, _("second factor reset")

    at = models.DateTimeField(_("at"))
    actor = models.UUIDField(_("actor"), null=True)  # None: the system, or an operator at the command line
    verb = models.CharField(_("what"), max_length=20, choices=Verb.choices)
    objects_touched = models.JSONField(_("objects"), default=dict)  # {"case": id, "report": id, "space": id, ...}
    transaction = models.BigIntegerField(null=True, editable=False)  # set by a trigger; NULL before version 0.2

    objects = AuditQuerySet.as_manager()

    class Meta:
        verbose_name = _("audit event")
        verbose_name_plural = _("audit events")
        ordering = ["-id"]
        default_permissions = ["view"]
        indexes = [
            GinIndex(fields=["objects_touched"], name="audit_objects", opclasses=["jsonb_path_ops"]),
        ]

    def __str__(self) -> str:
        return f"{self.get_verb_display()}, {self.at:%Y-%m-%d %H:%M:%S}"

    @classmethod
    def write(cls, verb: Verb, actor: User | None, facts: dict[str, Any] | None = None, **touched: Any) -> "AuditEvent":
        """Record that `actor` did `verb` to the rows `touched` (name=row). `facts` lie beside it and may be erased."""
        assert connection.in_atomic_block, "an audit event belongs in the transaction of the act"
        ids = {name: str(row.pk) for name, row in touched.items()}
        event = cls.objects.create(at=timezone.now(), actor=actor.pk if actor else None, verb=verb, objects_touched=ids)
        if facts:
            AuditDetail.objects.create(event=event, facts=facts)
        return event


class AuditDetail(models.Model):
    """Facts of an event that may have to be erased. They are kept beside it, so the event itself never changes."""

    event = models.OneToOneField(AuditEvent, models.PROTECT, related_name="detail", primary_key=True)
    facts = models.JSONField(_("facts"))

    class Meta:
        default_permissions = []

    def __str__(self) -> str:
        return f"detail of {self.event_id}"
