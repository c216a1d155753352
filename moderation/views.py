"""What members see of moderation: the report form, and decisions about themselves."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts import budgets
from accounts.shared.refusals import RefusedWith
from accounts.shared.requests import MemberRequest
from moderation.forms import ReportForm
from moderation.models import Report
from moderation.models.report import reportable_by
from rooms.models import Participant, Space


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def report(request: MemberRequest) -> HttpResponse:
    """The form to report a person in a Space; without `participant`, the Space itself."""
    space = get_object_or_404(reportable_by(request.user), pk=_id(request, "space"))
    subject = _subject(request, space)
    context: dict[str, object] = {"space": space, "subject": subject, "host": space.host}
    if request.method == "POST":
        return _file(request, space, subject, context)
    try:
        Report.check_filing(request.user, space, subject)
    except RefusedWith as refused:
        # htmx shows no answer with an error status, so the dialogue gets a 200
        status = 403 if _is_whole(request) else 200
        return _part(request, "moderation/report_refused.html", context | {"why": refused.text}, status)
    return _part(request, "moderation/report_form.html", context | {"form": ReportForm()})


def _file(
    request: MemberRequest, space: Space, subject: Participant | None, context: dict[str, object]
) -> HttpResponse:
    form = ReportForm(request.POST)
    if form.is_valid():
        try:
            Report.check_filing(request.user, space, subject)  # before it counts
            budgets.spend(budgets.REPORT_IN_SPACE, request.user.pk, space.pk)
            budgets.spend(budgets.REPORT, request.user.pk)
            Report.file(request.user, space, subject, **form.cleaned_data)
            return _part(request, "moderation/report_thanks.html", context)
        except RefusedWith as refused:
            form.add_error(None, refused.text)
    return _part(request, "moderation/report_form.html", context | {"form": form})


def _subject(request: MemberRequest, space: Space) -> Participant | None:
    if not request.GET.get("participant"):
        return None
    people = space.participants.select_related("user")
    return get_object_or_404(people, pk=_id(request, "participant"))


def _id(request: MemberRequest, name: str) -> UUID:
    try:
        return UUID(request.GET.get(name, ""))
    except ValueError:
        raise Http404 from None


def _is_whole(request: MemberRequest) -> bool:
    return not request.htmx or request.htmx.boosted


def _part(request: MemberRequest, template: str, context: dict[str, object], status: int = 200) -> HttpResponse:
    """Only the part for a dialogue (htmx), else a whole page around it."""
    whole = _is_whole(request)
    page = "moderation/page.html" if whole else template
    context = context | {"part": template, "whole": whole, "heading": "h1" if whole else "h2"}
    return render(request, page, context, status=status)


@require_safe
@login_required
def my_decisions(request: MemberRequest) -> HttpResponse:
    """Decisions about the member, with reasons. They never say who reported."""
    request.user.notices.mark_seen(timezone.now())
    return render(request, "moderation/my_decisions.html", {"notices": request.user.notices.with_decision()})
