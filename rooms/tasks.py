"""The sweeps of rooms: what a lost message or a killed process left undone is found here from the rows."""

from celery import shared_task
from django.utils import timezone

from rooms import pulse, standing
from rooms.models import Participant, Space
from rooms.refusals import Refused
from rooms.rules import Role


@shared_task
def sweep_presence() -> None:
    """Mark as lost whoever has no connection left, count out whoever was away too long. Safe to run twice at once."""
    for space in Space.objects.live():
        here = pulse.connected_now(space.pk)
        for person in space.participants.present().select_related("space", "user"):
            _sweep(person, str(person.pk) in here)


def _sweep(person: Participant, connected: bool) -> None:
    try:
        if person.away_until is not None and person.away_until < timezone.now():
            _count_out(person)
        elif not connected and person.away_since is None:
            person.lose()
        elif not person.user.is_active or person.user.is_suspended():
            person.recheck()
    except Refused:  # the Space ended while we looked
        return


def _count_out(person: Participant) -> None:
    if person.role == Role.HOST:
        person.space.end(why=Space.Why.HOST_LOST)
    else:
        person.leave(lost=True)


@shared_task
def rewrite_standings() -> None:
    """Write the standings of all live Spaces again, in case Redis lost them."""
    for space in Space.objects.live():
        standing.write(space)
