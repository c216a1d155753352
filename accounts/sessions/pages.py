"""Pages of a member's sessions: the list, logging out one of them, logging out everywhere."""

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.shared.requests import MemberRequest


@require_safe
@login_required
def sessions(request: MemberRequest) -> HttpResponse:
    rows = list(request.user.sessions.lasting())
    mine = request.session.session_key
    context = {
        "here": [row for row in rows if row.session_id == mine],
        "elsewhere": [row for row in rows if row.session_id != mine],
    }
    return render(request, "accounts/sessions.html", context)


@require_POST
@login_required
def session_end(request: MemberRequest, session: int) -> HttpResponse:
    ended = get_object_or_404(request.user.sessions, pk=session)
    device, here = str(ended.device), ended.session_id == request.session.session_key
    ended.end()
    if here:
        logout(request)
        return redirect("account_login")
    messages.success(request, _("%(device)s is logged out.") % {"device": device})
    return redirect("sessions")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def sessions_end(request: MemberRequest) -> HttpResponse:
    """Ask once, and then log out everywhere, also here, and revoke all tokens."""
    if request.method != "POST":
        return render(request, "accounts/sessions_end.html")
    request.user.log_out_everywhere()
    logout(request)
    messages.success(request, _("You are logged out everywhere."))
    return redirect("account_login")
