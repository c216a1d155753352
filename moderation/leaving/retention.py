"""How long rows say who was in which Space, who asked to speak, and who was invited."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from moderation.models import Case, MetadataReceipt
from recordings.models import Recording
from recordings.models.mixable import State
from rooms.models import Invitation, Participant, Space, SpeakerRequest

BATCH = 200  # Spaces between two looks at the rows


def purge_due(now: datetime) -> Iterator[MetadataReceipt]:
    """Delete what is due, one Space in one transaction."""
    while spaces := list(due(now)[:BATCH]):
        for space in spaces:
            yield _purge(space, now)


def due(now: datetime) -> QuerySet[Space]:
    """Ended Spaces with rows that are due. While sound is kept or a case is open, staff need all of them."""
    recorded = Recording.objects.filter(space=OuterRef("pk")).exclude(state=State.PURGED)
    open_cases = Case.objects.open().filter(space=OuterRef("pk"))
    invitations = Q(Exists(Invitation.objects.filter(space=OuterRef("pk"))))
    people = Q(Exists(_deletable().filter(space=OuterRef("pk"))))
    return Space.objects.filter(
        (people & Q(ended_at__lte=now - timedelta(days=settings.PARTICIPATION_DAYS)))
        | (invitations & Q(ended_at__lte=now - timedelta(days=settings.INVITATION_DAYS))),
        ~Exists(recorded),
        ~Exists(open_cases),
        state=Space.State.ENDED,
    ).order_by("ended_at")


def _deletable() -> QuerySet[Participant]:
    """Participations that no report names. A report is written once, and so is whom it names."""
    return Participant.objects.filter(reports=None)


@transaction.atomic
def _purge(space: Space, now: datetime) -> MetadataReceipt:
    space = Space.locked(space.pk)
    assert space.ended_at is not None
    people = requests = 0
    if space.ended_at <= now - timedelta(days=settings.PARTICIPATION_DAYS):
        rows = _deletable().filter(space=space)
        requests = _delete(SpeakerRequest.objects.filter(participant__in=rows))
        people = _delete(rows)
    invited = Invitation.objects.filter(space=space)
    if space.ended_at > now - timedelta(days=settings.INVITATION_DAYS):
        invited = invited.none()
    return MetadataReceipt.objects.create(
        space=space.pk,
        ended_at=space.ended_at,
        participations=people,
        requests=requests,
        invitations=_delete(invited),
        purged_at=now,
    )


def _delete(rows: QuerySet[Participant] | QuerySet[SpeakerRequest] | QuerySet[Invitation]) -> int:
    """Delete `rows` and return how many there were, without those that went with them."""
    _all, by_model = rows.delete()
    return by_model.get(rows.model._meta.label, 0)
