"""Decisions with their statements of reasons, and the notices to the people concerned."""

import uuid
from datetime import datetime
from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from moderation.models.append_only import AppendOnly, AppendOnlyQuerySet
from moderation.models.words import DecisionWords, erased
from moderation.rules import Kind

KINDS = {
    Kind.DISMISS: _("Dismiss: no breach found"),
    Kind.REMOVE: _("Remove from this Space"),
    Kind.END: _("End this Space"),
    Kind.SUSPEND: _("Suspend the account for a time"),
}

OUTCOMES = {
    Kind.DISMISS: _("Dismissed: no breach found"),
    Kind.REMOVE: _("Removed from this Space"),
    Kind.END: _("Space ended"),
    Kind.SUSPEND: _("Account suspended"),
}


class Decision(AppendOnly):
    """A decision, its reason and who took it. Only `Case.decide` creates one."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey("moderation.Case", models.PROTECT, related_name="decisions")
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    kind = models.CharField(_("decision"), max_length=20, choices=[(kind.value, text) for kind, text in KINDS.items()])
    digest = models.CharField(max_length=64, editable=False)  # of its words, which may be forgotten
    until = models.DateTimeField(_("until"), null=True)  # of a suspension
    created_at = models.DateTimeField(_("decided"))

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        default_permissions = []
        constraints = [
            models.UniqueConstraint(fields=["case"], name="decision_once"),
            models.CheckConstraint(
                condition=Q(kind="suspend", until__isnull=False) | (~Q(kind="suspend") & Q(until=None)),
                name="decision_suspension_has_end",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} in {self.case_id}"

    @classmethod
    def write(cls, reason: str, **fields: Any) -> "Decision":
        """A new decision with its reason beside it."""
        decision = cls(**fields)
        words = DecisionWords(decision=decision, reason=reason.strip())
        decision.digest = words.digest
        decision.save()
        words.save(force_insert=True)
        return decision

    @property
    def reason(self) -> str:
        return self.words.reason if hasattr(self, "words") else erased()

    @property
    def found_a_breach(self) -> bool:
        return self.kind != Kind.DISMISS

    @property
    def outcome(self) -> Promise:
        """What was done, in words for staff."""
        return OUTCOMES[Kind(self.kind)]

    def concerned(self) -> list[User]:
        """Who is notified. No one of a dismissed case: a notice would reveal that there was a report."""
        if not self.found_a_breach:
            return []
        people = {self.case.subject_id: self.case.subject}
        if self.kind == Kind.END:
            people[self.case.space.host_id] = self.case.space.host
        return list(people.values())

    def notify(self, now: datetime) -> None:
        Notice.objects.bulk_create(Notice(decision=self, user=person, created_at=now) for person in self.concerned())


class NoticeQuerySet(models.QuerySet["Notice"]):
    def unseen(self) -> Self:
        return self.filter(seen_at=None)

    def with_decision(self) -> Self:
        """With everything that a notice shows, the newest first."""
        return self.select_related("decision__case__space", "decision__words").order_by("-created_at")

    def mark_seen(self, now: datetime) -> None:
        """Count all of these that were unseen as seen."""
        self.unseen().update(seen_at=now)

    def take(self, now: datetime) -> "list[Notice]":
        """Mark the unseen notices as seen and return them. Of two pages at once, only one gets each notice."""
        unseen = list(self.unseen().with_decision())
        return [notice for notice in unseen if self.unseen().filter(pk=notice.pk).update(seen_at=now)]


class Notice(models.Model):
    """Notifies one person of a decision: what and why, and never who reported."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    decision = models.ForeignKey(Decision, models.PROTECT, related_name="notices")
    user = models.ForeignKey(User, models.CASCADE, related_name="notices")
    created_at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        default_permissions = []
        constraints = [models.UniqueConstraint(fields=["decision", "user"], name="notice_once")]
        indexes = [models.Index(fields=["user"], condition=Q(seen_at=None), name="notice_unseen")]

    def __str__(self) -> str:
        return f"notice of {self.decision_id}"

    @property
    def headline(self) -> str:
        """The decision in one line, addressed to the person."""
        space = self.decision.case.space
        words = {"title": space.title}
        if self.decision.kind == Kind.REMOVE:
            return gettext("You were removed from the Space “%(title)s”") % words
        if self.decision.kind == Kind.SUSPEND:
            return gettext("Your account was suspended")
        if space.host_id == self.user_id:
            return gettext("Your Space “%(title)s” was ended") % words
        return gettext("The Space “%(title)s” was ended because of what was reported about you") % words
