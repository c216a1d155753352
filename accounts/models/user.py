"""People: members and staff, and the verbs with which they follow, block and change themselves."""

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import BaseUserManager
from django.contrib.postgres.indexes import GinIndex
from django.core.exceptions import ValidationError
from django.core.files.base import File
from django.db import models, transaction
from django.db.models import F, Q
from django.dispatch import Signal
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts import rules, signals
from accounts.handles import HANDLE_LENGTH, STORED_PATTERN, HandleField, handle_shape, plain_name
from accounts.models.leaving import RetiredHandle, delete_rows_of, end_follows, forget_in_admin_log, gone_handle
from accounts.models.relations import Block, Follow
from accounts.models.rights import GUARDED, Rights
from accounts.models.tokens import MOST_DAYS, MOST_TOKENS, ApiToken, Scope
from accounts.names.lookalikes import LONGEST, SkeletonField
from accounts.people import NAME_VECTOR, PeopleQuerySet, Relation
from accounts.refusals import check

HANDLE_TAKEN = _("This handle is taken. Please choose another one.")


class UserManager(BaseUserManager["User"].from_queryset(PeopleQuerySet)):  # type: ignore[misc]
    def create_user(self, handle: str, password: str | None = None, **fields: Any) -> "User":
        """Make an account. Rights that it has from the start are a deed, and recorded."""
        user = self.model(handle=handle, **fields)
        user.set_password(password)
        rights = {name: str(value) for name, value in fields.items() if name in GUARDED}
        with transaction.atomic(using=self._db):
            if rights:
                signals.deed.send(self.model, deed=rules.Deed.ACCOUNT_MADE, person=user, by=None, facts=rights)
            user.save(using=self._db)
        return user

    def create_superuser(self, handle: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(handle, password, is_staff=True, is_superuser=True, **fields)


def avatar_path(user: "User", filename: str) -> str:
    """A path that cannot be guessed and is never used again, so caches may keep it for ever."""
    return f"avatars/{uuid.uuid4().hex}.webp"


class User(Rights):
    """A member or a member of staff.

    Only the verbs change `follower_count`, under locks, and rights. `save()` of a whole row never writes them.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    handle = HandleField(
        _("handle"),
        max_length=HANDLE_LENGTH,
        unique=True,
        validators=[handle_shape],
        error_messages={"unique": HANDLE_TAKEN},
    )
    skeleton = SkeletonField(max_length=LONGEST, default="", editable=False, db_index=True)
    display_name = models.CharField(_("display name"), max_length=50, blank=True, validators=[plain_name])
    email = models.EmailField(_("email address"), blank=True)
    bio = models.CharField(_("about you"), max_length=300, blank=True)
    avatar = models.ImageField(_("picture"), upload_to=avatar_path, blank=True)
    follower_count = models.PositiveIntegerField(_("followers"), default=0, editable=False)
    approves_followers = models.BooleanField(_("approve each follower"), default=False)
    date_joined = models.DateTimeField(_("joined"), default=timezone.now, editable=False)
    counts_from = models.DateTimeField(_("counts as a follower from"), null=True, editable=False)
    erased_at = models.DateTimeField(_("erased"), null=True, editable=False)

    USERNAME_FIELD = "handle"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects = UserManager()

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        permissions: ClassVar = [("grant_hosting", "May let people host without enough followers")]
        constraints = [
            models.CheckConstraint(condition=Q(handle__regex=STORED_PATTERN), name="user_handle_shape"),
            models.CheckConstraint(condition=Q(follower_count__gte=0), name="user_follower_count_not_negative"),
        ]
        indexes = [
            models.Index(fields=["-follower_count", "handle"], name="user_most_followed"),
            models.Index(fields=["email"], name="user_email"),  # used by the password reset
            GinIndex(NAME_VECTOR, name="user_name_words"),
        ]

    def __str__(self) -> str:
        return f"@{self.handle}"

    @property
    def name(self) -> str:
        return gettext("Deleted account") if self.is_gone else self.display_name or self.handle

    @property
    def mention(self) -> str:
        """How a sentence names me: by my handle, unless I am gone."""
        return self.name if self.is_gone else f"@{self.handle}"

    @property
    def is_gone(self) -> bool:
        """Whether pages say "Deleted account" and link to nothing: I am erased, or have closed my account."""
        return self.erased_at is not None or (not self.is_active and hasattr(self, "closing"))

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding and kwargs.get("update_fields") is None:
            # allauth saves whole rows. A copy read earlier must not write an old count or an old right back.
            kept = GUARDED | {"follower_count"}
            kwargs["update_fields"] = [
                field.name for field in self._meta.concrete_fields if not field.primary_key and field.name not in kept
            ]
        super().save(*args, **kwargs)

    def clean(self) -> None:
        """Refuse a new account with a handle that an erased one had."""
        super().clean()
        if self._state.adding and RetiredHandle.among([self.handle]):
            raise ValidationError({"handle": HANDLE_TAKEN})

    # Following

    @transaction.atomic
    def follow(self, other: "User") -> "Follow":
        """Follow `other`, or ask to if `other` approves each follower. Safe to repeat.

        Raises Refused for oneself, while suspended, and if one has blocked the other.
        """
        now = timezone.now()
        people = lock_people(self, other)
        suspended, blocked = people[self.pk].is_suspended(now), Block.between(self, other).exists()
        closed = people[other.pk].is_gone
        check(rules.follow_refusal(self.pk == other.pk, suspended, blocked or closed))
        accepted = not people[other.pk].approves_followers
        follow, created = Follow.objects.get_or_create(
            follower=self,
            followee=other,
            defaults={
                "state": Follow.State.ACCEPTED if accepted else Follow.State.REQUESTED,
                "created_at": now,
                "accepted_at": now if accepted else None,
            },
        )
        if created and accepted:
            other.count_followers(+1)
            self._send_after_commit(signals.follow_began, other)
        return follow

    @transaction.atomic
    def unfollow(self, other: "User") -> None:
        """Stop following `other`, or withdraw the request. Safe to repeat."""
        lock_people(self, other)
        for follow in Follow.objects.filter(follower=self, followee=other):
            follow.delete()
            if follow.state == Follow.State.ACCEPTED:
                other.count_followers(-1)
                self._send_after_commit(signals.follow_ended, other)

    def remove_follower(self, other: "User") -> None:
        """Remove `other` from my followers, or decline their request. Safe to repeat."""
        other.unfollow(self)

    @transaction.atomic
    def approve(self, follower: "User") -> None:
        """Let `follower`, who has asked, follow me. Safe to repeat. Raises Refused if there is no request."""
        now = timezone.now()
        lock_people(self, follower)
        row = Follow.objects.filter(follower=follower, followee=self)
        if row.filter(state=Follow.State.REQUESTED).update(state=Follow.State.ACCEPTED, accepted_at=now):
            self.count_followers(+1)
            follower._send_after_commit(signals.follow_began, self)
        else:
            check(rules.approve_refusal(asked=row.exists()))

    def decline(self, follower: "User") -> None:
        """Decline the request of `follower`, who gets no notice and may ask again. Safe to repeat."""
        Follow.objects.filter(follower=follower, followee=self, state=Follow.State.REQUESTED).delete()

    def _send_after_commit(self, signal: Signal, other: "User") -> None:
        """Send a signal about me as the follower of `other`."""
        transaction.on_commit(lambda: signal.send(User, follower=self, followee=other), robust=True)

    def count_followers(self, change: int) -> None:
        """Add `change` to `follower_count`. Only the verbs call it, with my row locked."""
        enough = Q() if change > 0 else Q(follower_count__gte=-change)
        User.objects.filter(enough, pk=self.pk).update(follower_count=F("follower_count") + change)
        self.refresh_from_db(fields=["follower_count"])

    def is_followed_by(self, other: "User") -> bool:
        return Follow.objects.filter(follower=other, followee=self, state=Follow.State.ACCEPTED).exists()

    def relation_to(self, other: "User") -> Relation:
        """What `other` is to me: blocked, followed, asked, or none of these."""
        return Relation(User.objects.with_relation_of(self).values_list("relation", flat=True).get(pk=other.pk))

    # Blocking

    @transaction.atomic
    def block(self, other: "User") -> None:
        """Block `other`: following ends both ways, and neither can enter the other's Spaces. Safe to repeat.

        Raises Refused for oneself. The signal `blocked` reaches live Spaces.
        """
        check(rules.block_refusal(self.pk == other.pk))
        now = timezone.now()
        lock_people(self, other)
        Block.objects.get_or_create(blocker=self, blocked=other, defaults={"created_at": now})
        self.unfollow(other)
        other.unfollow(self)
        transaction.on_commit(lambda: signals.blocked.send(User, blocker=self, blocked=other), robust=True)

    @transaction.atomic
    def unblock(self, other: "User") -> None:
        """Remove my block of `other`. Earlier follows do not come back. Safe to repeat."""
        deleted, _rows = Block.objects.filter(blocker=self, blocked=other).delete()
        if deleted:
            transaction.on_commit(lambda: signals.unblocked.send(User, blocker=self, blocked=other), robust=True)

    # Hosting

    def followers_missing(self) -> int:
        """How many more followers that count I need to host; 0 if I have enough or staff granted it."""
        return 0 if self.may_host else settings.SPACES_MIN_FOLLOWERS - self.followers_that_count()

    def followers_that_count(self) -> int:
        """How many followers count towards hosting, at most as many as that needs. `that_count` says who."""
        rows = Follow.objects.that_count(timezone.now()).filter(followee=self)
        return rows[: settings.SPACES_MIN_FOLLOWERS].count() if settings.SPACES_MIN_FOLLOWERS else 0

    # Leaving

    @transaction.atomic
    def erase(self) -> None:
        """Erase everything that says who I was. The row stays, so that what points to it stays. Safe to repeat.

        Raises Refused of this app for the last superuser, and that of an app above for what has to be done before.
        """
        if self.erased_at is not None:
            return
        check(rules.leaving_refusal(self._is_last_superuser()))
        signals.erasing.send(User, user=self)
        lock_people(self, *User.objects.filter(follower_rows__follower=self))
        now = timezone.now()
        RetiredHandle.retire(self.handle, now)
        end_follows(self)
        self.log_out_everywhere()
        delete_rows_of(self)
        self.change_avatar(None)
        self._blank(now)
        forget_in_admin_log(self)
        self._tell(signals.suspended)

    def _is_last_superuser(self) -> bool:
        """Whether no other superuser can log in. Their rows are locked, so that two cannot leave at once."""
        rows = User.objects.select_for_update(no_key=True).filter(is_superuser=True, is_active=True).order_by("pk")
        return [row.pk for row in rows] == [self.pk] if self.is_superuser else False

    def _blank(self, now: datetime) -> None:
        """Empty the fields of my row. A suspension stays: it was a decision."""
        self.handle, self.erased_at = gone_handle(), now
        self.set_unusable_password()
        self.display_name = self.bio = self.email = ""
        self.last_login = None
        self.approves_followers = self.may_host = self.is_staff = self.is_superuser = self.is_active = False
        rights = dict.fromkeys(("may_host", "is_staff", "is_superuser", "is_active"), False)
        User.objects.filter(pk=self.pk).update(follower_count=0, **rights)
        self.save()

    # Profile

    @transaction.atomic
    def change_avatar(self, picture: "File[bytes] | None") -> None:
        """Use `picture` (made by `accounts.pictures.avatars`), or none. The old file is deleted after commit."""
        old = User.objects.select_for_update(no_key=True).get(pk=self.pk).avatar
        if picture is None:
            self.avatar = ""
        else:
            self.avatar.save("", picture, save=False)
        self.save(update_fields=["avatar"])
        if old:
            transaction.on_commit(lambda: old.storage.delete(old.name))

    # API tokens

    @transaction.atomic
    def make_token(self, name: str, scopes: Iterable[Scope], days: int) -> str:
        """Make an API token and return its key, which is kept nowhere. My expired tokens are deleted.

        Raises Refused while I am suspended and if I have MOST_TOKENS. Raises ValueError for no or too many days, and
        for a scope that I may not have.
        """
        scopes = list(scopes)
        if not 1 <= days <= MOST_DAYS or not set(scopes) <= set(self.token_scopes()) or not scopes:
            raise ValueError("a token needs scopes of its member and at most a year")
        me = lock_people(self)[self.pk]
        self.api_tokens.filter(expires_at__lte=timezone.now()).delete()
        check(rules.token_refusal(me.is_suspended(), self.api_tokens.count() >= MOST_TOKENS))
        return ApiToken.make(self.pk, name, scopes, days)

    def token_scopes(self) -> list[Scope]:
        """The scopes that my tokens may have."""
        return [scope for scope in Scope if scope != Scope.MODERATE or self.is_staff]


def lock_people(*people: User) -> dict[uuid.UUID, User]:
    """Lock the rows of `people` until the transaction ends, and return them fresh, by id.

    They are locked in the order of ids, so verbs on the same people never wait in a circle. NO KEY lets other
    transactions still write rows that point to these people.
    """
    rows = User.objects.select_for_update(no_key=True).filter(pk__in=[person.pk for person in people])
    return {person.pk: person for person in rows.order_by("pk")}
