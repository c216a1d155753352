"""People: members and staff, who follows whom, who blocked whom."""

import uuid
from datetime import datetime
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.validators import RegexValidator
from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import signals

HANDLE_PATTERN = r"^[a-z0-9_]{3,30}$"


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(handle=(username or "").lower())

    def create_user(self, handle: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(handle=handle.lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, handle: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(handle, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A member or a member of staff. The handle is kept in lower case, so that it is unique whatever one types."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    handle = models.CharField(
        _("handle"), max_length=30, unique=True,
        validators=[RegexValidator(HANDLE_PATTERN, _("3 to 30 letters, digits or underscores."))],
    )
    display_name = models.CharField(_("display name"), max_length=50, blank=True)
    email = models.EmailField(_("email address"), blank=True)
    bio = models.CharField(_("about you"), max_length=300, blank=True)
    avatar = models.ImageField(_("picture"), upload_to="avatars", blank=True)
    follower_count = models.PositiveIntegerField(default=0, editable=False)
    approves_followers = models.BooleanField(_("approve each follower"), default=False)
    may_host = models.BooleanField(_("may host without enough followers"), default=False)
    suspended_until = models.DateTimeField(_("suspended until"), null=True, blank=True)
    is_staff = models.BooleanField(_("staff"), default=False)
    is_active = models.BooleanField(_("active"), default=True)
    date_joined = models.DateTimeField(default=timezone.now, editable=False)

    USERNAME_FIELD = "handle"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects = UserManager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(handle__regex=HANDLE_PATTERN), name="user_handle_shape"),
            models.CheckConstraint(condition=Q(follower_count__gte=0), name="user_follower_count_not_negative"),
        ]

    def __str__(self) -> str:
        return f"@{self.handle}"

    @property
    def name(self) -> str:
        return self.display_name or self.handle

    def clean(self) -> None:
        super().clean()
        self.handle = self.handle.lower()

    def is_suspended(self, now: datetime | None = None) -> bool:
        return self.suspended_until is not None and self.suspended_until > (now or timezone.now())

    # --- following ----------------------------------------------------------------------------------------------------
    @transaction.atomic
    def follow(self, other: "User") -> "Follow":
        """Follow `other`, or ask to, where followers are approved by hand. Safe to repeat.

        Raises FollowRefused for oneself and where one blocked the other."""
        if self.pk == other.pk:
            raise FollowRefused(_("You cannot follow yourself."))
        if Block.between(self, other).exists():
            raise FollowRefused(_("You cannot follow this person."))
        state = Follow.State.REQUESTED if other.approves_followers else Follow.State.ACCEPTED
        follow, created = Follow.objects.get_or_create(follower=self, followee=other, defaults={"state": state})
        if created and state == Follow.State.ACCEPTED:
            other.count_followers(+1)
        return follow

    @transaction.atomic
    def unfollow(self, other: "User") -> None:
        """End following `other`, or take the request back. Safe to repeat."""
        for follow in Follow.objects.select_for_update().filter(follower=self, followee=other):
            follow.delete()
            if follow.state == Follow.State.ACCEPTED:
                other.count_followers(-1)

    def remove_follower(self, other: "User") -> None:
        other.unfollow(self)

    def count_followers(self, change: int) -> None:
        User.objects.filter(pk=self.pk).update(follower_count=F("follower_count") + change)
        self.refresh_from_db(fields=["follower_count"])

    # --- blocking -----------------------------------------------------------------------------------------------------
    @transaction.atomic
    def block(self, other: "User") -> None:
        """Block `other`: following ends both ways, and neither can enter the other's Spaces. Safe to repeat."""
        Block.objects.get_or_create(blocker=self, blocked=other)
        self.unfollow(other)
        other.unfollow(self)
        transaction.on_commit(lambda: signals.blocked.send(User, blocker=self, blocked=other))

    def unblock(self, other: "User") -> None:
        Block.objects.filter(blocker=self, blocked=other).delete()

    # --- standing of the account --------------------------------------------------------------------------------------
    @transaction.atomic
    def suspend(self, until: datetime) -> None:
        """Suspend the account until `until` (UTC). Live rooms follow by the signal `suspended`."""
        self.suspended_until = until
        self.save(update_fields=["suspended_until"])
        transaction.on_commit(lambda: signals.suspended.send(User, user=self))


class FollowRefused(Exception):
    """Following is not possible; the text says why, for the person who asked."""


class Follow(models.Model):
    """`follower` follows `followee`, or has asked to."""

    class State(models.TextChoices):
        REQUESTED = "requested", _("requested")
        ACCEPTED = "accepted", _("accepted")

    follower = models.ForeignKey(User, models.CASCADE, related_name="following_rows")
    followee = models.ForeignKey(User, models.CASCADE, related_name="follower_rows")
    state = models.CharField(max_length=10, choices=State.choices, default=State.ACCEPTED)
    created_at = models.DateTimeField(default=timezone.now)
    accepted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["follower", "followee"], name="follow_once"),
            models.CheckConstraint(condition=~Q(follower=F("followee")), name="follow_not_oneself"),
        ]
        indexes = [models.Index(fields=["followee", "state", "follower"])]

    def __str__(self) -> str:
        return f"{self.follower_id} -> {self.followee_id} ({self.state})"


class Block(models.Model):
    """`blocker` wants nothing to do with `blocked`."""

    blocker = models.ForeignKey(User, models.CASCADE, related_name="blocking_rows")
    blocked = models.ForeignKey(User, models.CASCADE, related_name="blocked_by_rows")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["blocker", "blocked"], name="block_once")]

    def __str__(self) -> str:
        return f"{self.blocker_id} x {self.blocked_id}"

    @classmethod
    def between(cls, one: User, other: User) -> models.QuerySet["Block"]:
        return cls.objects.filter(Q(blocker=one, blocked=other) | Q(blocker=other, blocked=one))
