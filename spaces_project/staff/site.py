"""Who enters the admin: staff in good standing, with a second factor in this session."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.auth import REDIRECT_FIELD_NAME, logout
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models.base import ModelBase
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

from accounts.sessions import second_factor
from accounts.sessions.second_factor import Step
from moderation import deeds

OUR_APPS = ("accounts", "recordings", "moderation")
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
NOT_OURS = {"password_change", "password_change_done"}  # the site has a page for it, with limits

WORDS = {
    Step.LOG_IN: _(
        "Log in again. Staff pages close 12 hours after the log-in, or if you have not used them for 30 minutes."
    ),
    Step.CONFIRM: _("Staff pages are open with a second factor, until you have not used them for 30 minutes."),
    Step.SET_UP: _("Staff pages need a second factor. Set one up, then open “Admin” in your menu again."),
}


class StaffSite(AdminSite):
    site_header = site_title = _("Spaces · Safety and staff")
    index_title = _("Staff")
    enable_nav_sidebar = False  # leaves its width to the desk

    def get_urls(self) -> list[URLPattern | URLResolver]:
        return [one for one in super().get_urls() if getattr(one, "name", "") not in NOT_OURS]

    def register(self, model_or_iterable: Any, *args: Any, **options: Any) -> None:
        """Give models of ours their pages. `django.contrib.auth.admin` registers groups when it is imported."""
        models: Any = [model_or_iterable] if isinstance(model_or_iterable, ModelBase) else model_or_iterable
        super().register([model for model in models if model._meta.app_label in OUR_APPS], *args, **options)

    def has_permission(self, request: HttpRequest) -> bool:
        return _is_staff(request) and second_factor.missing(request) is None

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Any:
        """Keep the session of staff alive with each page, and lead those who are not let in to what is missing."""
        guarded = super().admin_view(view, cacheable)

        @wraps(guarded)
        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            _refuse_nul(request)
            if self.has_permission(request):
                second_factor.note_use(request)
            elif request.method not in SAFE_METHODS:  # to the page of the form: a form that was sent cannot be opened
                return redirect_to_login(_page_before(request), reverse("admin:login"))
            return guarded(request, *args, **kwargs)

        return inner

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Superusers see what rights were changed. They are told by email as well, if there is a mail server."""
        latest = deeds.newest() if request.user.is_superuser else []
        return super().index(request, {"deeds": latest} | (extra_context or {}))

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Lead to what is missing: the log-in, or the page that sets a second factor up or asks for it."""
        after = _next_page(request)
        if not request.user.is_authenticated:
            return redirect_to_login(after, reverse("account_login"))
        if not _is_staff(request):
            raise PermissionDenied
        step = second_factor.missing(request)
        if step is None:
            return redirect(after)
        if step == Step.LOG_IN:
            logout(request)
        messages.info(request, WORDS[step])
        return redirect_to_login(after, reverse(step.value))


def _is_staff(request: HttpRequest) -> bool:
    user = request.user
    return user.is_authenticated and user.is_staff and user.in_good_standing()


def _refuse_nul(request: HttpRequest) -> None:
    """PostgreSQL refuses a text with a NUL character, so no search or filter can have one."""
    if any("\0" in value for _name, values in request.GET.lists() for value in values):
        raise BadRequest


def _next_page(request: HttpRequest) -> str:
    """Where to go afterwards: a page of this site, else the index of the admin."""
    page = request.GET.get(REDIRECT_FIELD_NAME, "")
    ours = url_has_allowed_host_and_scheme(page, {request.get_host()}, request.is_secure())
    return page if ours else reverse("admin:index")


def _page_before(request: HttpRequest) -> str:
    """The page of the admin with the form that was sent, else the index."""
    before = urlsplit(request.headers.get("Referer", ""))
    index = reverse("admin:index")
    return before.path if before.netloc == request.get_host() and before.path.startswith(index) else index
