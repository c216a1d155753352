"""A report about a person in a Space, or about the Space itself, with the facts of that moment."""

import uuid
from datetime import datetime, timedelta
from typing import Self

from django.db import connection, models, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from moderation import holding, rules
from moderation.models.append_only import AppendOnly, AppendOnlyQuerySet
from moderation.models.audit import AuditEvent
from moderation.models.case import Case
from moderation.models.words import ReportWords, erased
from moderation.refusals import check
from moderation.rules import Reason
from moderation.severity import Breach
from recordings.models.mixable import GONE
from rooms.models import Participant, Space
from rooms.refusals import check as check_role
from rooms.rules import Action, Mute, Role
from rooms.rules import refusal as role_refusal

HOUR = timedelta(hours=1)
SAME = timedelta(seconds=rules.SAME_REPORT_SECONDS)


class ReportQuerySet(AppendOnlyQuerySet):
    def since(self, moment: datetime) -> Self:
        return self.filter(created_at__gt=moment)

    def in_order(self) -> Self:
        """By the moment of the Space that they are about, with who reported whom."""
        return self.select_related("reporter", "subject", "words").order_by("room_ms", "created_at")


class Report(AppendOnly):
    """What was reported, written once: later changes of name, role or title do not reach it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, models.PROTECT, related_name="reports")
    space = models.ForeignKey(Space, models.PROTECT, related_name="reports")
    reporter = models.ForeignKey(User, models.PROTECT, related_name="reports_filed")
    subject = models.ForeignKey(Participant, models.PROTECT, null=True, related_name="reports")  # None: the Space
    subject_user = models.ForeignKey(User, models.PROTECT, related_name="reports_about")
    reason = models.CharField(_("reason"), max_length=20, choices=Breach.choices)
    digest = models.CharField(max_length=64, editable=False)  # of its words, which may be forgotten
    created_at = models.DateTimeField(_("reported"))
    room_ms = models.PositiveBigIntegerField(_("room time, ms"))
    role = models.CharField(max_length=10, choices=[(role.value, role.value) for role in Role])
    mute = models.CharField(max_length=5, choices=[(mute.value, mute.value) for mute in Mute])

    objects = ReportQuerySet.as_manager()

    class Meta:
        verbose_name = _("report")
        verbose_name_plural = _("reports")
        default_permissions = []
        constraints = [models.CheckConstraint(condition=~Q(reporter=models.F("subject_user")), name="report_others")]
        indexes = [models.Index(fields=["reporter", "-created_at"])]

    def __str__(self) -> str:
        return f"{self.reason} at {self.room_ms} ms in {self.space_id}"

    @property
    def text(self) -> str:
        """What the reporter wrote; empty if they wrote nothing, or if it is forgotten."""
        return self.words.text if hasattr(self, "words") else ""

    @property
    def handle(self) -> str:
        return self.words.handle if hasattr(self, "words") else erased()

    @property
    def name(self) -> str:
        return self.words.name if hasattr(self, "words") else erased()

    @property
    def title(self) -> str:
        return self.words.title if hasattr(self, "words") else erased()

    @property
    def about_the_space(self) -> bool:
        return self.subject_id is None

    @classmethod
    @transaction.atomic
    def file(cls, reporter: User, space: Space, subject: Participant | None, reason: str, text: str = "") -> "Report":
        """Report `subject`, or the Space itself if it is None. The same report within a minute counts as one.

        The report joins the open case or opens one, and the sound is held. Raises like `check_filing`.
        """
        now, text = timezone.now(), text.strip()
        me, who = _both(reporter, space, subject)
        _one_at_a_time(reporter)
        mine = cls.objects.filter(reporter=reporter)
        same = mine.since(now - SAME).filter(space=space, subject=subject, reason=reason, words__text=text).first()
        if same is not None:
            return same
        _check(me, who, mine.since(now - HOUR).count(), text)
        report = cls(reporter=reporter, space=me.space, subject=subject, reason=reason, created_at=now)
        report._freeze(who, text, room_ms=_room_ms(me, now))
        report._open_case(who.user)
        return report

    @classmethod
    def check_filing(cls, reporter: User, space: Space, subject: Participant | None) -> None:
        """Check whether `file` would accept a report now.

        Raises Refused, the Refused of `rooms` if the role does not allow it, and Participant.DoesNotExist if the
        reporter was never in the Space.
        """
        me, who = _both(reporter, space, subject)
        recent = cls.objects.filter(reporter=reporter).since(timezone.now() - HOUR).count()
        _check(me, who, recent, "")

    def _freeze(self, who: Participant, text: str, room_ms: int) -> None:
        """Note who and what it is about, as things are now."""
        self.room_ms, self.subject_user, self.role, self.mute = room_ms, who.user, who.role, who.mute
        names = {"handle": who.user.handle, "name": who.user.name, "title": self.space.title}
        self.digest = ReportWords(report=self, text=text, **names).digest

    def _open_case(self, about: User) -> None:
        self.case = Case.of(self.space, about, self.created_at)
        self.save()
        self.words.save(force_insert=True)
        self.case.join(Breach(self.reason), self.created_at)
        AuditEvent.write(
            AuditEvent.Verb.REPORT_FILED, self.reporter, report=self, case=self.case, space=self.space, person=about
        )


def reportable_by(user: User) -> QuerySet[Space]:
    """The Spaces that `user` may report: those they have been in, unless the sound is gone."""
    return Space.objects.filter(participants__user=user).exclude(recording__state__in=GONE)


def _both(reporter: User, space: Space, subject: Participant | None) -> tuple[Participant, Participant]:
    """The reporter and the person reported, who is the host in a report of the Space itself."""
    me = space.participants.select_related("space").get(user=reporter)
    return me, subject or space.participants.select_related("user").get(role=Role.HOST)


def _check(me: Participant, who: Participant, recent: int, text: str) -> None:
    """Raise Refused if `me` may not report `who` now."""
    check(Reason.NOT_IN_THE_SPACE if who.space_id != me.space_id else None)
    check(rules.filing_refusal(who.user_id == me.user_id, recent, len(text)))
    check_role(role_refusal(Action.REPORT, Role(me.role), Role(who.role)))
    check(None if holding.is_kept(me.space) else Reason.SOUND_IS_GONE)


def _room_ms(me: Participant, now: datetime) -> int:
    """The room time that the reporter means: now, or the moment they left or the Space ended."""
    moment = min(time for time in (now, me.left_at, me.space.ended_at) if time)
    started = me.space.started_at or moment
    return max(0, int((moment - started).total_seconds() * 1000))


def _one_at_a_time(reporter: User) -> None:
    """Let the reports of one person wait for each other, so that they are counted correctly."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"reports of {reporter.pk}"])
