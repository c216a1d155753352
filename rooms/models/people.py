"""Queries for the people in a Space, and how a page shows them."""

import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self

from django.core.files.storage import default_storage
from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, When

from accounts.models import User
from rooms.models.space import Space, is_welcome, listening
from rooms.protocol import parts
from rooms.refusals import Refused
from rooms.rules import Mute, Reason, Role

if TYPE_CHECKING:
    from rooms.models.participant import Participant


def shown(
    pk: uuid.UUID, handle: str, display_name: str, avatar: str | None, role: str, mute: str, away_since: datetime | None
) -> parts.Person:
    """A person as everyone in the Space sees them."""
    return parts.Person(
        participant=str(pk),
        handle=handle,
        name=display_name or handle,
        avatar=default_storage.url(avatar) if avatar else None,
        role=Role(role),
        mute=Mute(mute),
        away=away_since is not None,
    )


class ParticipantQuerySet(models.QuerySet["Participant"]):
    def present(self) -> Self:
        return self.filter(left_at=None, removed_at=None)

    def out(self) -> Self:
        return self.exclude(left_at=None, removed_at=None)

    def on_stage(self) -> Self:
        """Host and speakers, in the order in which they came to the microphone."""
        on_stage = self.present().filter(role__in=[Role.HOST, Role.SPEAKER])
        host_first = Case(When(role=Role.HOST, then=0), default=1)
        return on_stage.select_related("user").order_by(host_first, "stage_since", "pk")

    def listening(self) -> Self:
        """Listeners, in the order in which they came."""
        return self.filter(listening()).select_related("user").order_by("entered_at", "pk")

    def hearing(self, pk: uuid.UUID) -> "Participant":
        """The person who is in a live Space now as participant `pk`. Raises Refused."""
        here = self.present().filter(pk=pk, space__state=Space.State.LIVE).select_related("space").first()
        if here is None:
            raise Refused(Reason.NOT_IN_THE_SPACE)
        return here

    def stays(self, since: datetime, now: datetime, length: timedelta) -> Self:
        """Stays of at least `length` in Spaces of other people, that began after `since` and may go on."""
        visits = self.filter(entered_at__gt=since, connected_at__isnull=False).exclude(space__host=F("user"))
        goes_on = Q(left_at=None, entered_at__lte=now - length)
        return visits.filter(goes_on | Q(left_at__gte=F("entered_at") + length))

    def astray(self) -> Self:
        """People in a live Space who no longer have the right to be there.

        Those who left are included: a page that keeps its connection would keep the sound.
        """
        welcome = Space.objects.filter(is_welcome(OuterRef(OuterRef("user"))), pk=OuterRef("space"))
        able = User.objects.in_good_standing().filter(pk=OuterRef("user"))
        here = self.filter(space__state=Space.State.LIVE, removed_at=None, barred_at=None)
        return here.exclude(Q(Exists(able)) & (Q(role=Role.HOST) | Q(Exists(welcome))))

    def persons(self) -> list[parts.Person]:
        """As `Participant.person`, for many: making models of them would cost more than the rest of a snapshot."""
        columns = ("pk", "user__handle", "user__display_name", "user__avatar", "role", "mute", "away_since")
        return [shown(*row) for row in self.values_list(*columns)]
