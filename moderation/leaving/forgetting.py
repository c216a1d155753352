"""When the texts of reports and decisions are forgotten: of people who are erased, and of old cases."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import CharField, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Cast

from moderation.models import AuditDetail, AuditEvent, Case, DecisionWords, ReportWords
from recordings.models import Hold

EVIDENCE = timedelta(days=90)  # after the decision; as long as a breach holds the sound


def forget_due(now: datetime) -> int:
    """Forget what is due, one case in one transaction. Returns how many cases lost texts."""
    return sum(_forget(case, now) for case in due(now))


def due(now: datetime) -> QuerySet[Case]:
    """Decided cases with texts that nothing keeps any more."""
    held = Hold.objects.active(now).filter(case_ref=Cast(OuterRef("pk"), CharField()))
    reports = ReportWords.objects.filter(_of_reports(now), report__case=OuterRef("pk"))
    decisions = DecisionWords.objects.filter(_of_decisions(now), decision__case=OuterRef("pk"))
    decided = Case.objects.filter(state=Case.State.DECIDED, decided_at__lte=now - EVIDENCE)
    return decided.filter(Exists(reports) | Exists(decisions), ~Exists(held))


def _of_reports(now: datetime) -> Q:
    """Words of reports by or about people who are erased, and of old cases."""
    gone = Q(report__reporter__erased_at__isnull=False) | Q(report__subject_user__erased_at__isnull=False)
    return gone | Q(report__case__decided_at__lte=_old(now))


def _of_decisions(now: datetime) -> Q:
    """Words of decisions about people who are erased, and of old cases. The name of who decided is not in them."""
    gone = Q(decision__case__subject__erased_at__isnull=False)
    return gone | Q(decision__case__decided_at__lte=_old(now))


def _old(now: datetime) -> datetime:
    return now - timedelta(days=settings.CASE_TEXT_DAYS)


def _copies(case: Case, reason: str) -> QuerySet[AuditDetail]:
    """What the trail of deeds holds of the reason, if the decision was a suspension."""
    person = {"person": str(case.subject_id)}
    suspensions = AuditDetail.objects.filter(event__verb=AuditEvent.Verb.SUSPENDED, facts__reason=reason)
    return suspensions.filter(event__objects_touched__contains=person)


@transaction.atomic
def _forget(case: Case, now: datetime) -> bool:
    case = Case.locked(case.pk)
    reports = ReportWords.objects.filter(_of_reports(now), report__case=case)
    decisions = DecisionWords.objects.filter(_of_decisions(now), decision__case=case)
    for reason in decisions.values_list("reason", flat=True):
        _copies(case, reason).delete()
    forgotten = reports.forget() + decisions.forget()
    if forgotten:
        AuditEvent.write(AuditEvent.Verb.WORDS_FORGOTTEN, None, {"texts": forgotten}, case=case)
    return bool(forgotten)
