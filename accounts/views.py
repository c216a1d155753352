"""Pages of people: profiles, following, approving, blocking, and a member's own settings. Each needs a log-in."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, Concatenate, ParamSpec

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.files.storage import default_storage
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import budgets, rules
from accounts.forms import ProfileForm
from accounts.models import Follow, User
from accounts.refusals import TEXTS, Refused
from accounts.shared.following import ask_or_follow
from accounts.shared.refusals import RefusedWith
from accounts.shared.requests import MemberRequest

PAGE_ROWS = 50
FIRST_REQUESTS = 100  # shown on one page, the oldest first
AVATAR_CACHE = "public, max-age=31536000, immutable"  # a picture's name is never used twice

P = ParamSpec("P")
PersonView = Callable[Concatenate[MemberRequest, User, P], HttpResponse]


def of_a_visible_person(view: PersonView[P]) -> Callable[Concatenate[MemberRequest, str, P], HttpResponse]:
    """Give the view the person with that handle, or answer "not available" if the member may not see them.

    A person who blocked the member looks the same as one who does not exist.
    """

    @login_required
    @wraps(view)
    def with_person(request: MemberRequest, handle: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        person = User.objects.visible_to(request.user).filter(handle=handle).first()
        if person is None:
            return render(request, "accounts/not_available.html", status=HTTPStatus.NOT_FOUND)
        return view(request, person, *args, **kwargs)

    return with_person


@require_safe
@of_a_visible_person
def person(request: MemberRequest, person: User) -> HttpResponse:
    context = {
        "person": person,
        "relation": request.user.relation_to(person),
        "follows_me": request.user.is_followed_by(person),
        "following_count": person.following_rows.filter(state=Follow.State.ACCEPTED).count(),
    }
    return render(request, "accounts/person.html", context)


@require_POST
@of_a_visible_person
def follow(request: MemberRequest, person: User) -> HttpResponse:
    try:
        ask_or_follow(request.user, person)
    except RefusedWith as refused:
        return relation_answer(request, person, refused=refused.text)
    return relation_answer(request, person)


@require_POST
@of_a_visible_person
def unfollow(request: MemberRequest, person: User) -> HttpResponse:
    request.user.unfollow(person)
    return relation_answer(request, person)


@require_POST
@of_a_visible_person
def block(request: MemberRequest, person: User) -> HttpResponse:
    try:
        request.user.block(person)
    except Refused as refused:
        return relation_answer(request, person, refused=refused.text)
    return relation_answer(request, person, done=_("You have blocked %(name)s.") % {"name": person.name})


@require_POST
@login_required
def unblock(request: MemberRequest, handle: str) -> HttpResponse:
    row = get_object_or_404(request.user.blocking_rows.select_related("blocked"), blocked__handle=handle)
    request.user.unblock(row.blocked)
    return relation_answer(request, row.blocked, done=_("You have unblocked %(name)s.") % {"name": row.blocked.name})


def wants_fragment(request: MemberRequest) -> bool:
    """Whether htmx asks for a part of the page, not through a boosted link or form."""
    return bool(request.htmx) and not request.htmx.boosted


def relation_answer(request: MemberRequest, person: User, done: str = "", refused: str = "") -> HttpResponse:
    """Answer htmx with new buttons, and a plain form with a message and the page it came from."""
    if wants_fragment(request):
        context = {"person": person, "relation": request.user.relation_to(person), "done": done, "refused": refused}
        compact = request.POST.get("compact")
        return render(request, f"accounts/_{'follow' if compact else 'relation'}.html", context)
    if refused or done:
        messages.add_message(request, messages.ERROR if refused else messages.SUCCESS, refused or done)
    return redirect(_next_page(request) or reverse("person", args=[person.handle]))


def _next_page(request: MemberRequest) -> str:
    target = request.POST.get("next", "")
    return target if url_has_allowed_host_and_scheme(target, {request.get_host()}, request.is_secure()) else ""


# My people


@require_safe
@login_required
def followers(request: MemberRequest) -> HttpResponse:
    rows = request.user.follower_rows.select_related("follower").filter(follower__is_active=True)
    asked = rows.filter(state=Follow.State.REQUESTED).order_by("id")
    context = {
        "requests": asked[:FIRST_REQUESTS],
        "request_count": asked.count(),
        "page": _page(request, rows.filter(state=Follow.State.ACCEPTED).order_by("-id"), "follower"),
        "query": request.GET.get("q", ""),
    }
    return render(request, "accounts/followers.html", context)


@require_safe
@login_required
def following(request: MemberRequest) -> HttpResponse:
    rows = request.user.following_rows.select_related("followee").filter(followee__is_active=True).order_by("-id")
    context = {"page": _page(request, rows, "followee"), "query": request.GET.get("q", "")}
    return render(request, "accounts/following.html", context)


@require_safe
@login_required
def blocked(request: MemberRequest) -> HttpResponse:
    rows = request.user.blocking_rows.select_related("blocked").order_by("-id")
    context = {"page": _page(request, rows, "blocked"), "query": request.GET.get("q", "")}
    return render(request, "accounts/blocked.html", context)


def _page(request: MemberRequest, rows: QuerySet[Any], who: str) -> Page[Any]:
    """One page of `rows`, narrowed by the search words in the address to people at the key `who`."""
    if query := request.GET.get("q", ""):
        rows = rows.filter(**{f"{who}__in": User.objects.search(query).order_by()})
    return Paginator(rows, PAGE_ROWS).get_page(request.GET.get("page"))


@require_POST
@login_required
def approve(request: MemberRequest, handle: str) -> HttpResponse:
    follower = _my_follower(request, handle)
    try:
        request.user.approve(follower)
    except Refused as refused:
        messages.error(request, refused.text)
        return redirect(_next_page(request) or "followers")
    return _follower_answer(request, _("%(name)s now follows you.") % {"name": follower.name})


@require_POST
@login_required
def decline(request: MemberRequest, handle: str) -> HttpResponse:
    follower = _my_follower(request, handle)
    request.user.decline(follower)
    return _follower_answer(request, _("You have declined the request from %(name)s.") % {"name": follower.name})


@require_POST
@login_required
def remove_follower(request: MemberRequest, handle: str) -> HttpResponse:
    follower = _my_follower(request, handle)
    request.user.remove_follower(follower)
    return _follower_answer(request, _("%(name)s no longer follows you.") % {"name": follower.name})


def _my_follower(request: MemberRequest, handle: str) -> User:
    """A person who follows me or has asked to; 404 for all others, also if the request was withdrawn."""
    return get_object_or_404(request.user.follower_rows.select_related("follower"), follower__handle=handle).follower


def _follower_answer(request: MemberRequest, done: str) -> HttpResponse:
    messages.success(request, done)
    return redirect(_next_page(request) or "followers")


# Myself


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def profile_edit(request: MemberRequest) -> HttpResponse:
    me = User.objects.get(pk=request.user.pk)  # a copy: the header shows the saved name, not the typed one
    spent = _spent_on_pictures(request)  # before the form reads the picture, which costs much
    form = ProfileForm(request.POST or None, None if spent else request.FILES or None, instance=me)
    refusal = rules.profile_refusal(me.is_suspended())
    if request.method == "POST" and refusal is not None:
        messages.error(request, TEXTS[refusal])
        return redirect("profile_edit")
    if spent:
        form.add_error("avatar", spent)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Your profile is saved."))
        return redirect("profile_edit")
    return render(request, "accounts/profile_edit.html", {"form": form, "me": me})


def _spent_on_pictures(request: MemberRequest) -> str:
    """Count an uploaded picture. Returns why there were too many, or nothing."""
    if not request.FILES.get("avatar"):
        return ""
    try:
        budgets.spend(budgets.PICTURE, request.user.pk)
    except budgets.Spent as spent:
        return spent.text
    return ""


@require_safe
def avatar(request: HttpRequest, name: str) -> HttpResponse:
    """A picture, for anyone who knows its address. The address cannot be guessed; web servers and CDNs may cache it."""
    try:
        with default_storage.open(f"avatars/{name}.webp") as picture:
            content = picture.read()
    except FileNotFoundError:
        raise Http404 from None
    return HttpResponse(content, content_type="image/webp", headers={"Cache-Control": AVATAR_CACHE})
