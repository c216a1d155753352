"""The queue of those who ask to speak."""

import uuid
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


class SpeakerRequest(models.Model):
    """A raised hand. The queue is in the order of asking."""

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

    def queued(self) -> parts.QueuedRequest:
        return parts.QueuedRequest(
            request=str(self.pk), person=self.participant.person(), text=self.text, asked_at=self.asked_at.timestamp()
        )

    @verb
    def admit(self, by: Participant) -> None:
        """Give the person a microphone, if one is free. Raises Refused."""
        self._decidable(Action.ADMIT, by)
        speakers = self.space.stage().filter(role=Role.SPEAKER).count()
        check(rules.stage_refusal(speakers, settings.SPACES_MAX_SPEAKERS))
        self.close(SpeakerRequest.State.ADMITTED, by)
        self.participant.space = self.space
        self.participant.take_stage(timezone.now())

    @verb
    def decline(self, by: Participant) -> None:
        self._decidable(Action.DECLINE, by)
        self.close(SpeakerRequest.State.DECLINED, by)

    def _decidable(self, action: Action, by: Participant) -> None:
        if by.space_id != self.space_id:
            raise Refused(Reason.NOT_IN_THE_SPACE)
        check(rules.refusal(action, Role(by.role), Role(self.participant.role)))
        check(None if self.state == SpeakerRequest.State.WAITING else Reason.ALREADY_DECIDED)

    def close(self, state: str, by: Participant | None) -> None:
        self.state, self.decided_at, self.decided_by = state, timezone.now(), by.user if by else None
        self.save(update_fields=["state", "decided_at", "decided_by"])
        gone = protocol.RequestGone(
            request=str(self.pk),
            participant=str(self.participant_id),
            how=state,  # type: ignore[arg-type]
        )
        self.space.publish(gone)
