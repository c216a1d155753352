"""The page for a forgotten password, on a site that may have no mail server."""

from allauth.account.views import password_reset
from django.http import Http404, HttpRequest, HttpResponseBase

from accounts.mail import sends_mail


def reset_password(request: HttpRequest) -> HttpResponseBase:
    """Send a link. Without a mail server, the page has no form, and there is no address for one."""
    if request.method == "POST" and not sends_mail():
        raise Http404
    return password_reset(request)
