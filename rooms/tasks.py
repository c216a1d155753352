"""The sweeps of rooms: they find in the rows what a lost message or a killed process left undone."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from accounts.models import User
from rooms import events
from rooms.live import presence, watchdog
from rooms.media.hls import leftovers
from rooms.models import Participant, Space
from rooms.nodes import strays
from rooms.rules import Role

STAY = timedelta(minutes=5)  # in a Space of another person, after which an account counts as a follower
LONGEST_SPACE = timedelta(days=2)  # stays that began earlier have been noted


@shared_task
def sweep_presence() -> None:
    """Find who is lost, back, away for too long, or no longer has the right to be there. Safe to run twice at once.

    While a web process does not answer, no one is lost: their page cannot come back either.
    """
    held = watchdog.is_held()
    for person in Participant.objects.astray().select_related("space"):
        person.recheck()
    for space in Space.objects.live():
        here, present = presence.connected_now(space.pk), list(space.participants.present())
        for person in present:
            connected = str(person.pk) in here
            if (connected or not held) and _step(person, connected):
                _take_step(person)
        if uninvited := here - {str(person.pk) for person in present}:
            _cut_off(space, uninvited)
    for space in Space.objects.ended_lately(timezone.now()):
        if presence.connected_now(space.pk):
            space.send_end_again()


@shared_task
def prove_listeners() -> None:
    """Note who has stayed in a Space of another person, so that they count as followers. Safe to repeat."""
    now = timezone.now()
    stays = Participant.objects.stays(now - LONGEST_SPACE, now, STAY).filter(user=OuterRef("pk"))
    User.objects.in_good_standing().filter(Exists(stays), counts_from=None).prove(now)


def _step(person: Participant, connected: bool) -> Callable[[Participant], None] | None:
    """What there is to do about a person; None for nothing."""
    if connected:
        return _welcome_back if person.away_since is not None else None
    if person.away_until is None:
        return Participant.lose
    return _count_out if person.away_until < timezone.now() else None


@transaction.atomic
def _take_step(person: Participant) -> None:
    """Look again with the Space locked, then take the step: the person may have come back in this moment."""
    space = Space.locked(person.space_id)
    fresh = space.participants.present().filter(pk=person.pk).first()
    if fresh is None or space.state != Space.State.LIVE:
        return
    step = _step(fresh, str(fresh.pk) in presence.connected_now(space.pk))
    if step:
        step(fresh)


@transaction.atomic
def _cut_off(space: Space, participants: set[str]) -> None:
    """Close the pages of people who are not in the Space, unless they enter in this moment."""
    Space.locked(space.pk)
    for person in space.participants.out().filter(pk__in=participants):
        events.cut_off(person.pk, person.close_code)


def _welcome_back(person: Participant) -> None:
    """Let a person enter again whose connection was there all the time: Redis had lost the lease."""
    with suppress(Space.DoesNotExist):  # the right to be here was lost in this moment; the next sweep finds it
        person.space.enter(person.user)


def _count_out(person: Participant) -> None:
    if person.role == Role.HOST:
        person.space.end(why=Space.Why.HOST_LOST)
    else:
        person.leave(lost=True)


@shared_task
def sweep_peers() -> None:
    """Drop the peers of people who are not in the Space."""
    strays.drop_strays()


@shared_task
def rewrite_standings() -> None:
    """Write the standings of live Spaces, and of those that ended a moment ago, in case Redis lost them."""
    for space in Space.objects.live() | Space.objects.ended_lately(timezone.now()):
        space.write_standing()


@shared_task
def sweep_hls() -> None:
    """Delete files (HLS) that stopped nodes left. Nodes sweep, too, but the last one may be gone."""
    leftovers.sweep(settings.HLS_DIR, timezone.now().timestamp())
