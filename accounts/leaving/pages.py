"""The pages on which a member closes their account, and comes back."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import security_log
from accounts.leaving import coming_back
from accounts.leaving.forms import LeavingForm
from accounts.models import Closing, User
from accounts.shared.refusals import RefusedWith
from accounts.shared.requests import MemberRequest


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def leaving(request: MemberRequest) -> HttpResponse:
    """Say what stays and what goes, and close the account if the password is right."""
    me = User.objects.get(pk=request.user.pk)
    form = LeavingForm(request.POST or None, user=me)
    if request.method == "POST" and form.is_valid():
        try:
            return _closed(request, me)
        except RefusedWith as refused:
            form.add_error(None, refused.text)
    elif form.has_error("password", "password_wrong"):
        security_log.write(security_log.Kind.PASSWORD_REFUSED, request, me.pk)
    context = {"form": form, "days": settings.LEAVING_DAYS, "recording_days": settings.RECORDING_RETENTION_DAYS}
    return render(request, "accounts/leaving.html", context)


def _closed(request: MemberRequest, me: User) -> HttpResponse:
    closing = Closing.start(me, by=me)
    logout(request)
    return render(request, "accounts/left.html", {"closing": closing})


@require_http_methods(["GET", "HEAD", "POST"])
def come_back(request: HttpRequest) -> HttpResponse:
    """Open the account again whose password was given at the log-in a moment ago."""
    closing = coming_back.offered(request)
    if closing is None:
        raise Http404
    if request.method == "POST":
        try:
            closing.withdraw()
        except Closing.DoesNotExist:
            raise Http404 from None
        coming_back.forget(request)
        messages.success(request, _("Your account is open again. Log in."))
        return redirect("account_login")
    return render(request, "accounts/come_back.html", {"closing": closing})
