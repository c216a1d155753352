"""Pages of allauth that send mail, on a site that may have no mail server."""

from allauth.account import views as allauth_views
from django.http import Http404, HttpRequest, HttpResponseBase

from accounts.mail import sends_mail


def email(request: HttpRequest) -> HttpResponseBase:
    """The address of a member. Without a mail server, one can be removed, but none added: it cannot be confirmed."""
    if request.method == "POST" and not sends_mail() and "action_remove" not in request.POST:
        raise Http404
    return allauth_views.email(request)


def reset_password(request: HttpRequest) -> HttpResponseBase:
    """Send a link. Without a mail server, the page has no form, and there is no address for one."""
    if request.method == "POST" and not sends_mail():
        raise Http404
    return allauth_views.password_reset(request)
