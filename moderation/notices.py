"""Shows decisions to the people concerned: on their next page, and at each log-in while they are suspended."""

from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import sync_and_async_middleware
from django.utils.html import format_html
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from accounts.models import User
from moderation.models import Notice
from moderation.rules import Kind

REASON_SHOWN = 200  # characters; the page of decisions shows all of it


@sync_and_async_middleware
def middleware(get_response: Any) -> Callable[[HttpRequest], Any]:
    """Show decisions that a member has not seen yet on the next page they open."""

    async def later(request: HttpRequest) -> HttpResponseBase:
        if _opens_a_page(request):
            await sync_to_async(_show)(request)
        return await get_response(request)

    def now(request: HttpRequest) -> HttpResponseBase:
        if _opens_a_page(request):
            _show(request)
        return get_response(request)

    return later if iscoroutinefunction(get_response) else now


def _show(request: HttpRequest) -> None:
    if request.user.is_authenticated:
        for notice in request.user.notices.take(timezone.now()):
            messages.warning(request, _message(notice))


def _opens_a_page(request: HttpRequest) -> bool:
    """Whether a person opens a whole page: no fragment, no API, and not the list of decisions itself."""
    whole = not request.headers.get("HX-Request") or request.headers.get("HX-Boosted")
    html = "text/html" in request.headers.get("Accept", "")
    return bool(request.method == "GET" and whole and html and request.path != reverse("my_decisions"))


def _message(notice: Notice) -> str:
    reason = Truncator(notice.decision.reason).chars(REASON_SHOWN)
    return _linked(_("%(headline)s. Reason: %(reason)s") % {"headline": notice.headline, "reason": reason})


def _linked(text: str) -> str:
    return format_html(
        '<span>{} <a href="{}">{}</a></span>', text, reverse("my_decisions"), _("Read the whole decision")
    )


def explain_suspension(request: HttpRequest, user: User, **kwargs: Any) -> None:
    """At log-in, say why the account is suspended. Every page says until when."""
    notice = user.notices.filter(decision__kind=Kind.SUSPEND).with_decision().first() if user.is_suspended() else None
    if notice is not None:
        user.notices.filter(pk=notice.pk).mark_seen(timezone.now())
        reason = Truncator(notice.decision.reason).chars(REASON_SHOWN)
        messages.warning(request, _linked(_("Why your account is suspended: %(reason)s") % {"reason": reason}))
