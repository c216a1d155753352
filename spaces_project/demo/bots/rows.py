"""What bots ask of the database: sessions, Spaces to be in, and reports. Each call is short work in a thread."""

from datetime import timedelta
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from accounts.shared.refusals import RefusedWith
from moderation.models import Case, Report
from rooms.loops import database
from rooms.management.guests import guest
from rooms.models import Participant, Space
from spaces_project.demo.people import CAST

FRESH = timedelta(days=20)  # a held Space whose recording is still there to be judged


@database
def cookie_of(handle: str) -> str:
    """The cookie of a new session of this member. OSError for one who is gone."""
    user = User.objects.filter(handle=handle).first()
    if user is None:
        raise OSError(f"there is no member {handle}")
    return guest(user, speaks=False).cookie


@database
def live_space(host: str, title: str, description: str) -> str | None:
    """The live Space of this host, opened now if there is none; None while the host may not open one."""
    user = User.objects.get(handle=host)
    space = Space.objects.live().filter(host=user).first()
    try:
        space = space or Space.open(user, title=title, description=description, audience=Space.Audience.FOLLOWERS)
    except RefusedWith:
        return None
    return str(space.pk)


@database
def may_host(handle: str) -> None:
    """Grant this member the right to host, as staff can."""
    user = User.objects.get(handle=handle)
    if not user.may_host:
        user.grant_hosting()


@database
def end(space: str) -> None:
    """End a Space as its host does."""
    Space.objects.get(pk=space).end()


@database
def spaces_of_people() -> list[str]:
    """The live Spaces that a member of the cast hosts for all followers."""
    handles = [member.handle for member in CAST]
    live = Space.objects.live().filter(host__handle__in=handles, audience=Space.Audience.FOLLOWERS)
    return [str(pk) for pk in live.values_list("pk", flat=True)]


@database
def may_enter(space: str, handle: str) -> bool:
    """Whether this member could enter the Space now."""
    user = User.objects.filter(handle=handle).first()
    return user is not None and Space.objects.enterable_by(user).filter(pk=space).exists()


@database
def report(space: str, reporter: str, subject: str, reason: str, text: str) -> bool:
    """File a report as the dialogue does, unless there is an open case already; whether there is one now."""
    about = Participant.objects.filter(space_id=UUID(space), user__handle=subject).first()
    if about is None:
        return False
    if not Case.objects.open().filter(space_id=UUID(space), subject=about.user).exists():
        try:
            Report.file(User.objects.get(handle=reporter), Space.objects.get(pk=UUID(space)), about, reason, text)
        except (RefusedWith, Participant.DoesNotExist):
            return False
    return True


@database
def has_cases_of(host: str) -> bool:
    """Whether an ended Space of this host still has cases to decide."""
    ended = Q(space__host__handle=host, space__state=Space.State.ENDED, space__ended_at__gt=timezone.now() - FRESH)
    return Case.objects.open().filter(ended).exists()
