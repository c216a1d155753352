"""The page on which a member asks for their data, sees how far it is, and downloads it."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts import budgets
from accounts.models import Export
from accounts.shared.requests import MemberRequest


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def export(request: MemberRequest) -> HttpResponse:
    context: dict[str, object] = {}
    if request.method == "POST":
        try:
            budgets.spend(budgets.EXPORT, request.user.pk)
            Export.ask(request.user)
            return redirect("export")
        except budgets.Spent as spent:
            context = {"refused": spent.text}
    mine = request.user.exports.defer("content").exclude(until__lte=timezone.now())
    return render(request, "accounts/export.html", context | {"export": mine.first()})


@require_safe
@login_required
def export_file(request: MemberRequest, export: UUID) -> HttpResponse:
    """The ZIP, for its member only."""
    mine = get_object_or_404(request.user.exports.ready(timezone.now()), pk=export)
    name = f"spaces-{request.user.handle}-{mine.asked_at:%Y-%m-%d}.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return HttpResponse(bytes(mine.content or b""), content_type="application/zip", headers=headers)
