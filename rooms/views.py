"""Pages of rooms: home, search, opening a Space, the Space itself, the fleet line. All but home need a log-in."""

from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db.models import Case, Exists, OuterRef, QuerySet, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts import budgets
from accounts.models import User
from accounts.shared.refusals import RefusedWith
from accounts.shared.requests import MemberRequest
from rooms.forms import SpaceForm
from rooms.models import Participant, Space
from rooms.refusals import TEXTS, check
from rooms.rules import Reason

LIVE_ON_HOME = 30
FOUND = 20


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    if not request.user.is_authenticated:
        return render(request, "rooms/welcome.html", {"retention_days": settings.RECORDING_RETENTION_DAYS})
    refusal = Space.hosting_refusal(request.user)
    context = {
        "live": Space.objects.shown_to(request.user)[:LIVE_ON_HOME],
        "strangers": Space.objects.invitations_of_strangers(request.user)[:LIVE_ON_HOME],
        "suggestions": User.objects.suggestions_for(request.user)[:8],
        "hosting_refusal": refusal,
        "my_space": request.user.hosted_spaces.live().first(),
    } | _gate(request.user)
    return render(request, "rooms/home.html", context)


def _gate(member: User) -> dict[str, int]:
    """What the page says about the way to hosting."""
    missing = member.followers_missing()
    return {
        "missing": missing,
        "counting": settings.SPACES_MIN_FOLLOWERS - missing,
        "min_followers": settings.SPACES_MIN_FOLLOWERS,
        "follower_days": settings.SPACES_FOLLOWER_DAYS,
    }


@require_safe
@login_required
def search(request: MemberRequest) -> HttpResponse:
    query = request.GET.get("q", "").replace("\0", "").strip()[:80]
    spaces = Space.objects.shown_to(request.user).filter(title__icontains=query) if query else Space.objects.none()
    people = User.objects.visible_to(request.user).search(query) if query else User.objects.none()
    context = {"q": query, "people": people[:FOUND], "spaces": spaces[:FOUND]}
    return render(request, "rooms/search.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def space_new(request: MemberRequest) -> HttpResponse:
    refusal = Space.hosting_refusal(request.user)
    live = request.user.hosted_spaces.live().first() if refusal == Reason.ALREADY_LIVE else None
    if live is not None and request.method != "POST":
        return redirect("space", live.pk)
    form = SpaceForm(request.POST or None, host=request.user, initial={"title": request.GET.get("title", "")})
    if request.method == "POST" and form.is_valid():
        try:
            return redirect("space", _open(request.user, form).pk)
        except RefusedWith as refused:
            form.add_error(None, refused.text)
    context = {
        "form": form,
        "refusal": refusal,
        "refusal_text": TEXTS[refusal] if refusal else "",
        "retention_days": settings.RECORDING_RETENTION_DAYS,
    } | _gate(request.user)
    return render(request, "rooms/space_new.html", context, status=400 if form.errors else 200)


def _open(host: User, form: SpaceForm) -> Space:
    """Open the Space, within the budgets of its host. Raises Refused and Spent."""
    check(Space.hosting_refusal(host))  # before it counts
    budgets.spend(budgets.SPACE, host.pk)
    if named := form.cleaned_data["invited"]:
        budgets.spend(budgets.NAMES, host.pk, amount=len(named))
    return form.open()


@require_safe
@login_required
def space(request: MemberRequest, space: UUID) -> HttpResponse:
    room = get_object_or_404(Space.objects.known_to(request.user).select_related("host"), pk=space)
    context = {
        "space": room,
        "you": request.user,
        "is_host": room.host_id == request.user.pk,
        "retention_days": settings.RECORDING_RETENTION_DAYS,
    }
    if room.state == Space.State.ENDED:
        return render(request, "rooms/ended.html", context | {"spoke": _spoke(room, request.user)})
    return render(request, "rooms/space.html", context)


def _spoke(room: Space, viewer: User) -> QuerySet[User]:
    """The people who were at the microphone, for the page of an ended Space."""
    people = User.objects.visible_to(viewer).with_relation_of(viewer)
    spoke = Participant.objects.filter(space=room, user=OuterRef("pk"), turns__isnull=False)
    host_first = Case(When(pk=room.host_id, then=0), default=1)
    return people.filter(Exists(spoke)).order_by(host_first, "handle")


@require_safe
@login_required
def fleet_line(request: MemberRequest) -> HttpResponse:
    return render(request, "rooms/fleet.html")
