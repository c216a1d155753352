"""Who follows whom, and who has blocked whom. The verbs that write these rows are those of `User`."""

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from accounts.models.user import User


class FollowQuerySet(models.QuerySet["Follow"]):
    def that_count(self, now: datetime) -> Self:
        """Accepted follows that count towards hosting: of people in good standing from whom follows count at `now`."""
        counts = self.filter(state=Follow.State.ACCEPTED, follower__is_active=True, follower__counts_from__lte=now)
        return counts.exclude(follower__suspended_until__gt=now)


class Follow(models.Model):
    """`follower` follows `followee`, or has asked to."""

    class State(models.TextChoices):
        REQUESTED = "requested", _("requested")
        ACCEPTED = "accepted", _("accepted")

    # The two keys need no index of their own: the constraint and the index below begin with them.
    follower = models.ForeignKey(
        "accounts.User", models.CASCADE, verbose_name=_("who follows"), related_name="following_rows", db_index=False
    )
    followee = models.ForeignKey(
        "accounts.User", models.CASCADE, verbose_name=_("who is followed"), related_name="follower_rows", db_index=False
    )
    state = models.CharField(_("state"), max_length=10, choices=State.choices)
    created_at = models.DateTimeField(_("since"), default=timezone.now)
    accepted_at = models.DateTimeField(_("accepted"), null=True)

    objects = FollowQuerySet.as_manager()

    class Meta:
        verbose_name = _("follow")
        verbose_name_plural = _("follows")
        constraints = [
            models.UniqueConstraint(fields=["follower", "followee"], name="follow_once"),
            models.CheckConstraint(condition=~Q(follower=F("followee")), name="follow_not_oneself"),
            models.CheckConstraint(
                condition=Q(state="accepted", accepted_at__isnull=False)
                | Q(state="requested", accepted_at__isnull=True),
                name="follow_accepted_has_time",
            ),
        ]
        indexes = [models.Index(fields=["followee", "state", "-id"], name="follow_followers_newest")]

    def __str__(self) -> str:
        return f"{self.follower_id} -> {self.followee_id} ({self.state})"


class Block(models.Model):
    """`blocker` has blocked `blocked`."""

    blocker = models.ForeignKey(
        "accounts.User", models.CASCADE, verbose_name=_("who blocks"), related_name="blocking_rows", db_index=False
    )
    blocked = models.ForeignKey(
        "accounts.User", models.CASCADE, verbose_name=_("who is blocked"), related_name="blocked_by_rows"
    )
    created_at = models.DateTimeField(_("since"), default=timezone.now)

    class Meta:
        verbose_name = _("block")
        verbose_name_plural = _("blocks")
        constraints = [
            models.UniqueConstraint(fields=["blocker", "blocked"], name="block_once"),
            models.CheckConstraint(condition=~Q(blocker=F("blocked")), name="block_not_oneself"),
        ]

    def __str__(self) -> str:
        return f"{self.blocker_id} x {self.blocked_id}"

    @classmethod
    def between(cls, one: "User", other: "User") -> models.QuerySet["Block"]:
        return cls.objects.filter(Q(blocker=one, blocked=other) | Q(blocker=other, blocked=one))
