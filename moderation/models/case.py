"""A case: what staff decide. `Case.decide` writes the decision and carries it out.

Each person has at most one open case in a Space. Later reports join it.
"""

import uuid
from datetime import datetime, timedelta
from typing import Self

from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User, lock_people
from moderation import holding, rules
from moderation.models.audit import AuditEvent
from moderation.models.decision import Decision
from moderation.refusals import check
from moderation.rules import CLAIM_IDLE, Kind, Reason
from moderation.severity import SEVERITY, Breach, Severity
from rooms.models import Participant, Space

CLAIM = "moderation.claim_case"
DECIDE = "moderation.decide_case"


class CaseQuerySet(models.QuerySet["Case"]):
    def open(self) -> Self:
        return self.exclude(state=Case.State.DECIDED)

    def visible_to(self, staff: User) -> Self:
        """Cases that do not concern this member of staff: not about them, nor in a Space where they had a voice."""
        there = Participant.objects.filter(space=OuterRef("space"), user=staff, turns__isnull=False)
        return self.exclude(subject=staff).exclude(space__host=staff).filter(~Exists(there))

    def free(self, now: datetime) -> Self:
        """Open cases that are not claimed, or whose claim has lapsed."""
        idle = Q(state=Case.State.CLAIMED, active_at__lte=now - CLAIM_IDLE)
        return self.filter(Q(state=Case.State.NEW) | idle)

    def claimed_by_now(self, staff: User, now: datetime) -> Self:
        return self.filter(state=Case.State.CLAIMED, claimed_by=staff, active_at__gt=now - CLAIM_IDLE)


class Case(models.Model):
    """Reports about one person in one Space, and their outcome. A report of the Space itself is about its host."""

    class State(models.TextChoices):
        NEW = "new", _("new")
        CLAIMED = "claimed", _("claimed")
        DECIDED = "decided", _("decided")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    space = models.ForeignKey(Space, models.PROTECT, related_name="cases")
    subject = models.ForeignKey(User, models.PROTECT, related_name="cases_about", verbose_name=_("about"))
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.NEW)
    severity = models.PositiveSmallIntegerField(_("severity"), choices=Severity.choices, default=Severity.LOW)
    opened_at = models.DateTimeField(_("opened"))
    claimed_by = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="cases_claimed", verbose_name=_("claimed by")
    )
    claimed_at = models.DateTimeField(null=True)
    active_at = models.DateTimeField(null=True)  # the last activity of the colleague who claimed it
    decided_at = models.DateTimeField(null=True)

    objects = CaseQuerySet.as_manager()

    class Meta:
        verbose_name = _("case")
        verbose_name_plural = _("cases")
        default_permissions = ["view"]
        permissions = [
            ("claim_case", _("Can claim a case and hear its sound")),
            ("decide_case", _("Can decide a case")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["space", "subject"], condition=Q(state__in=["new", "claimed"]), name="case_one_open"
            ),
            models.CheckConstraint(
                condition=Q(state="new", claimed_by=None)
                | Q(state="claimed", claimed_by__isnull=False, claimed_at__isnull=False, active_at__isnull=False)
                | Q(state="decided", decided_at__isnull=False),
                name="case_state_has_times",
            ),
        ]
        indexes = [models.Index(fields=["state", "-severity", "opened_at"]), models.Index(fields=["subject", "state"])]

    def __str__(self) -> str:
        return f"case {str(self.pk)[:8]}"

    # Opening

    @classmethod
    def of(cls, space: Space, subject: User, now: datetime) -> "Case":
        """The open case about this person in this Space, locked. Opens one if there is none."""
        cases = cls.objects.open().select_for_update(of=("self",))
        case, opened = cases.get_or_create(space=space, subject=subject, defaults={"opened_at": now})
        if opened:
            AuditEvent.write(AuditEvent.Verb.CASE_OPENED, None, case=case, space=space, person=subject)
        return case

    def join(self, breach: Breach, now: datetime) -> None:
        """Let a report of `breach` join this case, which the caller has locked. The worst breach sets the severity."""
        if SEVERITY[breach] > self.severity:
            self.severity = SEVERITY[breach]
            self.save(update_fields=["severity"])
        holding.hold_for_review(self.space, self.pk, now)

    @classmethod
    def locked(cls, pk: uuid.UUID) -> "Case":
        """The row, fresh and locked until the transaction ends.

        No joins: after waiting for the lock, PostgreSQL reads this row again, but not joined rows.
        """
        return cls.objects.select_for_update().get(pk=pk)

    # Claiming

    @transaction.atomic
    def claim(self, by: User) -> None:
        """Claim the case, or claim it again. Claims lapse after 15 minutes without activity. Raises Refused."""
        now = timezone.now()
        case = Case.locked(self.pk)
        check(case.reviewing_refusal(by, CLAIM))
        check(Reason.ALREADY_DECIDED if case.state == Case.State.DECIDED else None)
        holder = case.holder(now)
        check(Reason.CLAIMED_BY_ANOTHER if holder not in (None, by) else None)
        if holder is None:
            case.state, case.claimed_by, case.claimed_at = Case.State.CLAIMED, by, now
            AuditEvent.write(AuditEvent.Verb.CASE_CLAIMED, by, case=case)
        case.active_at = now
        case.save(update_fields=["state", "claimed_by", "claimed_at", "active_at"])
        self.refresh_from_db()

    @transaction.atomic
    def release(self, by: User) -> None:
        """Release the case undecided. Safe to repeat. A colleague's claim is left alone."""
        case = Case.locked(self.pk)
        if case.state == Case.State.CLAIMED and case.claimed_by == by:
            case.state, case.claimed_by, case.claimed_at, case.active_at = Case.State.NEW, None, None, None
            case.save(update_fields=["state", "claimed_by", "claimed_at", "active_at"])
            AuditEvent.write(AuditEvent.Verb.CASE_RELEASED, by, case=case)
        self.refresh_from_db()

    def touch(self, by: User) -> bool:
        """Note that `by` works on the case. False if they hold no valid claim."""
        now = timezone.now()
        return bool(Case.objects.filter(pk=self.pk).claimed_by_now(by, now).update(active_at=now))

    def holder(self, now: datetime | None = None) -> User | None:
        """The member of staff whose claim is valid, or None."""
        if self.state != Case.State.CLAIMED or self.active_at is None:
            return None
        return self.claimed_by if self.active_at > (now or timezone.now()) - CLAIM_IDLE else None

    @property
    def claim_ends(self) -> datetime | None:
        """When the claim lapses if nothing is done before."""
        return self.active_at + CLAIM_IDLE if self.active_at and self.holder() else None

    # Deciding

    @transaction.atomic
    def decide(self, by: User, kind: Kind, reason: str, until: datetime | None = None) -> Decision:
        """Decide the case and carry the decision out, in one transaction. Raises Refused, and then changes nothing."""
        now = timezone.now()
        case = Case.locked(self.pk)
        case.space = Space.locked(case.space_id)
        case._check_decision(by, kind, reason, until - now if until else None)
        decision = Decision.write(
            reason, case=case, by=by, kind=kind, until=until if kind == Kind.SUSPEND else None, created_at=now
        )
        case.state, case.decided_at = Case.State.DECIDED, now
        case.save(update_fields=["state", "decided_at"])
        AuditEvent.write(AuditEvent.Verb.CASE_DECIDED, by, {"kind": str(kind)}, case=case, decision=decision)
        case._carry_out(decision)
        holding.settle(case.space, case.pk, decision.found_a_breach, now)
        decision.notify(now)
        self.refresh_from_db()
        return decision

    def _carry_out(self, decision: Decision) -> None:
        """Do what was decided, by one verb of the app that it belongs to. The case and its Space are locked."""
        if decision.kind == Kind.REMOVE:
            self.participation().get().remove(by=None, staff=decision.by)
        elif decision.kind == Kind.END:
            self.space.end(why=Space.Why.STAFF)
        elif decision.kind == Kind.SUSPEND:
            assert decision.until is not None
            subject = lock_people(self.subject)[self.subject_id]
            # A decision never shortens a suspension that is in force.
            until = max(decision.until, subject.suspended_until or decision.until)
            subject.suspend(until, decision.by, decision.reason)

    def _check_decision(self, by: User, kind: Kind, reason: str, lasting: timedelta | None) -> None:
        check(self.reviewing_refusal(by, DECIDE))
        check(Reason.ALREADY_DECIDED if self.state == Case.State.DECIDED else None)
        # If a claim has lapsed and no colleague has taken the case, its owner may still finish the decision.
        check(Reason.NOT_CLAIMED if self.claimed_by != by else None)
        check(rules.statement_refusal(kind, reason, lasting))
        check(rules.kind_refusal(kind, self.facts(), by.rank))

    # Rights and options

    def reviewing_refusal(self, by: User, permission: str = CLAIM) -> Reason | None:
        """Why `by` may not work on this case; None if they may."""
        permitted = by.is_staff and by.in_good_standing() and by.has_perm(permission)
        return rules.reviewing_refusal(permitted, self._ties(by), by.rank, self.subject.rank)

    def _ties(self, by: User) -> rules.Ties:
        on_stage = Participant.objects.filter(space=self.space_id, user=by, turns__isnull=False)
        return rules.Ties(
            is_subject=self.subject_id == by.pk,
            is_reporter=self.reports.filter(reporter=by).exists(),
            was_there=self.space.host_id == by.pk or on_stage.exists(),
        )

    def facts(self) -> rules.Facts:
        return rules.Facts(
            space_live=self.space.state == Space.State.LIVE,
            subject_hosts=self.space.host_id == self.subject_id,
            subject_inside=self.participation().exists(),
            host_rank=self.space.host.rank,
        )

    def kinds_for(self, by: User) -> list[Kind]:
        """What `by` can decide in this case now, mildest first."""
        facts = self.facts()
        return [kind for kind in Kind if rules.kind_refusal(kind, facts, by.rank) is None]

    def participation(self) -> "models.QuerySet[Participant]":
        """The row of the case's subject in its Space."""
        return Participant.objects.filter(space=self.space_id, user=self.subject_id).select_related("user")

    @property
    def decision(self) -> Decision | None:
        return self.decisions.select_related("by", "words").first()
