"""The welcome page of a demonstration, and the links that log in without typing."""

from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import login, logout
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_safe

from accounts.models import User
from accounts.sessions import second_factor
from rooms.models import Space
from rooms.views import home
from spaces_project.demo import links
from spaces_project.demo.guard import is_clicked, is_from_here
from spaces_project.demo.people import CAST, SHOWS


@require_safe
def welcome(request: HttpRequest) -> HttpResponse:
    """The page for people on this machine who are not logged in. All others get the ordinary home page."""
    if request.user.is_authenticated or not is_from_here(request):
        return home(request)
    ways = [(way, links.path(settings.DEMO_LINK_SECRET, way.handle)) for way in links.WAYS]
    people = User.objects.in_bulk([member.handle for member in CAST], field_name="handle")
    cast = [(people[one.handle], one.part, links.path(settings.DEMO_LINK_SECRET, one.handle)) for one in CAST]
    return _kept_nowhere(render(request, "demo/welcome.html", {"ways": ways, "cast": cast}))


@require_GET
def enter(request: HttpRequest, handle: str, token: str) -> HttpResponse:
    """Log the member in. 404 for requests from other machines, 403 for a page that is fetched ahead."""
    if not is_from_here(request):
        raise Http404
    if not links.is_right(settings.DEMO_LINK_SECRET, handle, token):
        return _refused(request, 410, _("This link is from an earlier start of the demonstration."))
    if not is_clicked(request):
        return _refused(request, 403, _("Open the link directly, in its own tab."))
    user = User.objects.filter(handle=handle, is_active=True).first()
    if user is None:
        return _refused(request, 403, _("This member can no longer log in."))
    if request.user.is_authenticated and request.user != user:
        logout(request)  # `login` replaces the session without telling its pages
    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    if settings.DEMO and user.is_staff:
        second_factor.logged_in(request, user, "demo_link")
    response = redirect(_destination(user))
    response["Referrer-Policy"] = "no-referrer"
    return _kept_nowhere(response)


def _destination(user: User) -> str:
    """Where there is something to do for this member."""
    if user.handle == "mo":
        return reverse("admin:moderation_case_changelist")
    if user.handle == "hana":
        title = _("An evening at Hana's")  # not within an f-string, from which gettext collects nothing
        return f"{reverse('space_new')}?{urlencode({'title': title})}"
    live = Space.objects.enterable_by(user).filter(host__handle__in=SHOWS).order_by("host__handle").first()
    return reverse("space", args=[live.pk]) if live and user.handle == "lior" else reverse("home")


def _refused(request: HttpRequest, status: int, why: str) -> HttpResponse:
    return _kept_nowhere(render(request, "demo/refused.html", {"why": why}, status=status))


def _kept_nowhere(response: HttpResponse) -> HttpResponse:
    """No cache keeps a page with links, or the answer to one."""
    response["Cache-Control"] = "no-store, private"
    return response
