"""A member's wish for their data, and the ZIP that a worker has written. Rows are the queue."""

import uuid
from datetime import datetime, timedelta
from typing import ClassVar, Self

from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone

from accounts.models.user import User, lock_people

KEPT = timedelta(hours=24)
TRIES = 3
LOST_AFTER = timedelta(minutes=15)  # a worker that has not finished by then was killed


class ExportQuerySet(models.QuerySet["Export"]):
    def ready(self, now: datetime) -> Self:
        return self.filter(until__gt=now)

    def over(self, now: datetime) -> Self:
        """Those whose day is over, written or not."""
        return self.filter(Q(until__lte=now) | Q(until=None, asked_at__lte=now - KEPT))

    def waiting(self, now: datetime) -> Self:
        """Those that a worker has to write, or that a killed one has left."""
        idle = Q(started_at=None) | Q(started_at__lte=now - LOST_AFTER)
        return self.filter(idle, until=None, tries__lt=TRIES, user__is_active=True)


class Export(models.Model):
    """One ZIP. It lies in the database, which every worker and web process reaches, and goes with the account."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="exports")
    asked_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    until = models.DateTimeField(null=True, db_index=True)
    content = models.BinaryField(null=True)

    objects = ExportQuerySet.as_manager()

    class Meta:
        default_permissions: ClassVar = []
        constraints = [
            models.UniqueConstraint(fields=["user"], name="export_one_per_person"),
            models.CheckConstraint(
                condition=Q(until=None, content=None) | Q(until__isnull=False, content__isnull=False),
                name="export_ready_has_content",
            ),
        ]

    def __str__(self) -> str:
        return f"export of {self.user_id}"

    @classmethod
    @transaction.atomic
    def ask(cls, user: User) -> "Export":
        """Ask for the data of `user`. An export that is being written goes on; one that is there is replaced."""
        lock_people(user)
        waiting = cls.objects.filter(user=user, until=None, tries__lt=TRIES).first()
        if waiting is not None:
            return waiting
        cls.objects.filter(user=user).delete()
        return cls.objects.create(user=user, asked_at=timezone.now())

    @property
    def failed(self) -> bool:
        """Whether no worker tries again."""
        return self.until is None and self.tries >= TRIES

    def claim(self, now: datetime) -> bool:
        """Take this export to write it. False if another worker has it."""
        claimed = Export.objects.waiting(now).filter(pk=self.pk)
        return bool(claimed.update(started_at=now, tries=F("tries") + 1))

    def finish(self, content: bytes) -> None:
        """Offer the ZIP to its member for a day."""
        until = timezone.now() + KEPT
        Export.objects.filter(pk=self.pk, until=None).update(content=content, until=until)

    def give_up_for_now(self) -> None:
        """Let the next sweep try again, if there are tries left."""
        Export.objects.filter(pk=self.pk).update(started_at=None)
