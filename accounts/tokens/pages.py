"""Pages of a member's API tokens: the list, a new one, revoking one."""

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.refusals import Refused
from accounts.shared.requests import MemberRequest
from accounts.tokens.forms import TokenForm


@require_safe
@login_required
def tokens(request: MemberRequest) -> HttpResponse:
    return render(request, "accounts/tokens.html", {"tokens": request.user.api_tokens.all()})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@reauthentication_required
@never_cache
def token_new(request: MemberRequest) -> HttpResponse:
    """Make a token. It is shown once, in the answer that made it. Needs the password again."""
    form = TokenForm(request.user, request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            return render(request, "accounts/token_made.html", {"key": form.save()})
        except Refused as refused:
            form.add_error(None, refused.text)
    return render(request, "accounts/token_new.html", {"form": form})


@require_POST
@login_required
def token_revoke(request: MemberRequest, token: int) -> HttpResponse:
    mine = get_object_or_404(request.user.api_tokens, pk=token)
    mine.revoke()
    messages.success(request, _("The token “%(name)s” no longer works.") % {"name": mine.name})
    return redirect("tokens")
