"""Turns: each stay at the microphone."""

import uuid

from django.db import models
from django.db.models import Q


class Turn(models.Model):
    """One stay at the microphone. It is a track of the recording and, in the standing, a voice."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    participant = models.ForeignKey("rooms.Participant", models.CASCADE, related_name="turns")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["participant"], condition=Q(ended_at=None), name="turn_one_at_a_time")
        ]

    def __str__(self) -> str:
        return f"turn of {self.participant_id} from {self.started_at}"
