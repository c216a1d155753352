"""Requests to speak."""

import uuid
from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from rooms import protocol, rules
from rooms.models.participant import Participant
from rooms.models.space import Space
from rooms.models.verbs import verb
from rooms.protocol import parts
from rooms.refusals import Refused, check
from rooms.rules import Action, Reason, Role


class RequestQuerySet(models.QuerySet["SpeakerRequest"]):
    def waiting(self) -> Self:
        return self.filter(state=SpeakerRequest.State.WAITING)

    def gone(self) -> Self:
        """Those that were withdrawn or declined."""
        return self.filter(state__in=[SpeakerRequest.State.WITHDRAWN, SpeakerRequest.State.DECLINED])


class SpeakerRequest(models.Model):
    """A raised hand. Requests are in the order of asking."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        ADMITTED = "admitted", _("admitted")
        DECLINED = "declined", _("declined")
        WITHDRAWN = "withdrawn", _("withdrawn")
        LEFT = "left", _("left")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    space = models.ForeignKey(Space, models.CASCADE, related_name="requests")
    participant = models.ForeignKey(Participant, models.CASCADE, related_name="requests")
    text = models.CharField(max_length=140, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    asked_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    objects = RequestQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["participant"], condition=Q(state="waiting"), name="request_once_waiting")
        ]
        indexes = [models.Index(fields=["space", "state", "asked_at"])]

    def __str__(self) -> str:
        return f"{self.participant_id} asked at {self.asked_at} ({self.state})"

    def shown(self) -> parts.Request:
        """The request as everyone in the Space sees it."""
        return parts.Request(
            request=str(self.pk), person=self.participant.person(), text=self.text, asked_at=self.asked_at.timestamp()
        )

    @verb
    def admit(self, by: Participant) -> None:
        """Give the person a microphone, if one is free. Raises Refused."""
        self._check(Action.ADMIT, by)
        speakers = self.space.stage().filter(role=Role.SPEAKER).count()
        check(rules.stage_refusal(speakers, settings.SPACES_MAX_SPEAKERS))
        now = timezone.now()
        self.close(SpeakerRequest.State.ADMITTED, now, by)
        self.participant.space = self.space
        self.participant.take_stage(now)

    @verb
    def decline(self, by: Participant) -> None:
        self._check(Action.DECLINE, by)
        self.close(SpeakerRequest.State.DECLINED, timezone.now(), by)

    def _check(self, action: Action, by: Participant) -> None:
        """May `by` decide this request now? Raises Refused."""
        if by.space_id != self.space_id:
            raise Refused(Reason.NOT_IN_THE_SPACE)
        check(rules.refusal(action, Role(by.role), Role(self.participant.role)))
        check(None if self.state == SpeakerRequest.State.WAITING else Reason.ALREADY_DECIDED)

    def close(self, state: str, now: datetime, by: Participant | None = None) -> None:
        """Take the request from the requests that wait. Called by verbs, which hold the lock."""
        self.state, self.decided_at, self.decided_by = state, now, by.user if by else None
        self.save(update_fields=["state", "decided_at", "decided_by"])
        gone = protocol.RequestGone(
            request=str(self.pk),
            participant=str(self.participant_id),
            how=state,  # type: ignore[arg-type]
        )
        self.space.publish(gone)
