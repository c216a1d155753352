"""The desk: one page for one case, with its reports, sound, earlier cases and the decision form."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, Concatenate, ParamSpec
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.shared.requests import MemberRequest
from moderation.desk import in_effect, listening
from moderation.forms import DecisionForm
from moderation.models import AuditEvent, Case
from moderation.models.case import CLAIM, DECIDE
from moderation.refusals import TEXTS, Refused
from moderation.severity import NOTES, Breach

HISTORY = 10
VIEW = "moderation.view_case"

P = ParamSpec("P")
CaseView = Callable[Concatenate[MemberRequest, Case, P], HttpResponseBase]


def of_a_case(view: CaseView[P]) -> Callable[Concatenate[MemberRequest, UUID, P], HttpResponseBase]:
    """Give the view the case, if this member of staff may see cases and it is not about them."""

    @wraps(view)
    def with_case(request: MemberRequest, case: UUID, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.user.has_perm(VIEW):
            raise PermissionDenied
        cases = Case.objects.visible_to(request.user)
        rows = cases.select_related("space__host", "subject", "claimed_by")
        return view(request, get_object_or_404(rows, pk=case), *args, **kwargs)

    return with_case


def page(request: MemberRequest, case: str) -> HttpResponseBase:
    """The admin's change view of a case. The address may hold any text as the id."""
    try:
        return _page(request, UUID(case))
    except ValueError:
        raise Http404 from None


@require_safe
@of_a_case
def _page(request: MemberRequest, case: Case) -> HttpResponse:
    with transaction.atomic():
        AuditEvent.write(AuditEvent.Verb.CASE_READ, request.user, case=case)
    if case.touch(request.user):
        case.refresh_from_db(fields=["active_at"])
    return _desk(request, case)


def _desk(request: MemberRequest, case: Case, form: DecisionForm | None = None) -> HttpResponse:
    by = request.user
    decision, refusal = case.decision, case.reviewing_refusal(by)
    mine = case.holder() == by and refusal is None
    reports = list(case.reports.in_order())
    context = admin.site.each_context(request) | {
        "title": _("Case about @%(handle)s") % {"handle": case.subject.handle},
        "case": case,
        "person": case.participation().first(),
        "reports": reports,
        "notes": list(dict.fromkeys(NOTES[Breach(report.reason)] for report in reports)),
        "mine": mine,
        "holder": case.holder(),
        "refusal": TEXTS[refusal] if refusal else "",
        "form": (form or DecisionForm(case=case, by=by)) if mine and by.has_perm(DECIDE) else None,
        **(listening.context(case, reports) if mine else {}),
        "decision": decision,
        "effect": in_effect.of(decision, timezone.now()) if decision else None,
        "history": _history(case),
    }
    status = HTTPStatus.BAD_REQUEST if form is not None and form.errors else HTTPStatus.OK
    return render(request, "admin/moderation/case/desk.html", context, status=status)


def _history(case: Case) -> QuerySet[Case]:
    """Other cases about the person, the newest first."""
    others = Case.objects.filter(subject=case.subject).exclude(pk=case.pk)
    return others.select_related("space").prefetch_related("decisions", "reports").order_by("-opened_at")[:HISTORY]


@require_POST
@of_a_case
def claim(request: MemberRequest, case: Case) -> HttpResponse:
    try:
        case.claim(request.user)
    except Refused as refused:
        messages.error(request, refused.text)
    return redirect("admin:moderation_case_change", case.pk)


@require_POST
@of_a_case
def release(request: MemberRequest, case: Case) -> HttpResponse:
    case.release(request.user)
    messages.success(request, _("You have released the case."))
    return redirect("admin:moderation_case_changelist")


@require_POST
@of_a_case
def decide(request: MemberRequest, case: Case) -> HttpResponse:
    form = DecisionForm(request.POST, case=case, by=request.user)
    if form.is_valid():
        try:
            form.decide()
            return redirect("admin:moderation_case_change", case.pk)
        except Refused as refused:
            form.add_error(None, refused.text)
    if case.holder() != request.user:
        # A colleague has decided or claimed it meanwhile, so the page has no form that could show errors.
        messages.error(request, " ".join(map(str, form.non_field_errors())) or _("You no longer have this case."))
        return redirect("admin:moderation_case_change", case.pk)
    return _desk(request, case, form)


@require_safe
@of_a_case
def followed(request: MemberRequest, case: Case) -> HttpResponse:
    """The line that says whether the decision has taken effect. The page asks again until it has."""
    decision = case.decision
    if decision is None:
        raise Http404
    seen = in_effect.of(decision, timezone.now())
    return render(request, "admin/moderation/case/_in_effect.html", {"case": case, "effect": seen})


@require_safe
@of_a_case
def sound(request: MemberRequest, case: Case, name: str) -> HttpResponseBase:
    """Sound or waveform of a case, for the member of staff who claimed it. Fetched sound becomes an audit event."""
    by = request.user
    if case.reviewing_refusal(by, CLAIM) is not None or not case.touch(by):
        raise PermissionDenied
    return listening.answer(request, case, name)


STEPS: list[tuple[str, str, Any]] = [
    ("claim/", "claim", claim),
    ("release/", "release", release),
    ("decide/", "decide", decide),
    ("followed/", "followed", followed),
    ("sound/<str:name>/", "sound", sound),
]
