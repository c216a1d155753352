"""API tokens: secrets with which a member's programs act in their name, each within its scopes and its time.

The database holds a hash only. The secret has 256 random bits, so a fast hash is enough (OWASP ASVS 5.0, 11.4.1).
"""

import hashlib
import secrets
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import ClassVar, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import signals

PREFIX = "spaces_"  # by which people and scanners of source code recognise a token
SECRET_BYTES = 32
MOST_DAYS = 365
MOST_TOKENS = 20  # of one member at a time
NOTED_AGAIN_AFTER = timedelta(hours=1)


class Scope(models.TextChoices):
    """What a token may do. No scope includes another."""

    READ = "read", _("Read: what you can see")
    WRITE = "write", _("Write: act in your name")
    MODERATE = "moderate", _("Moderate: act as staff")


def digest_of(key: str) -> str:
    """What the database holds of a token: SHA-256 as hexadecimal digits."""
    return hashlib.sha256(key.encode()).hexdigest()


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def valid(self, now: datetime) -> Self:
        """Tokens that open something at `now`. Those of locked and suspended members open nothing."""
        suspended = Q(user__suspended_until__isnull=False, user__suspended_until__gt=now)
        return self.filter(expires_at__gt=now, user__is_active=True).exclude(suspended)

    def of_key(self, key: str) -> "ApiToken | None":
        """The valid token with this key, with its member; None if there is none."""
        digest = digest_of(key)
        return self.valid(timezone.now()).select_related("user").filter(digest=digest).first()

    def still_valid(self, digests: Iterable[str]) -> set[str]:
        """Those of `digests` whose tokens are valid."""
        return set(self.valid(timezone.now()).filter(digest__in=digests).values_list("digest", flat=True))

    def revoke(self) -> None:
        """Delete these tokens and end their websockets after commit. Safe to repeat."""
        for token in self.select_related("user"):
            token.revoke()


class ApiToken(models.Model):
    """A member's token. `digest` also stands for it among the sessions that have ended."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="api_tokens")
    name = models.CharField(_("name"), max_length=50)
    scopes = ArrayField(models.CharField(max_length=10, choices=Scope.choices))
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(editable=False)
    expires_at = models.DateTimeField(editable=False)
    used_at = models.DateTimeField(null=True, editable=False)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(scopes__len__gte=1), name="api_token_has_a_scope"),
            models.CheckConstraint(
                condition=Q(expires_at__lte=models.F("created_at") + timedelta(days=MOST_DAYS)),
                name="api_token_expires_within_a_year",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def make(cls, user_id: uuid.UUID, name: str, scopes: Iterable[Scope], days: int) -> str:
        """Make a token and return its key, which is kept nowhere. Only `User.make_token` calls this."""
        key, now = PREFIX + secrets.token_urlsafe(SECRET_BYTES), timezone.now()
        until = now + timedelta(days=days)
        fields = {"name": name, "scopes": sorted(set(scopes)), "digest": digest_of(key)}
        cls.objects.create(user_id=user_id, created_at=now, expires_at=until, **fields)
        return key

    def allows(self, scope: Scope) -> bool:
        """Whether the token has this scope. Only members of staff have `moderate`."""
        return scope in self.scopes and (scope != Scope.MODERATE or self.user.is_staff)

    @property
    def has_expired(self) -> bool:
        return self.expires_at <= timezone.now()

    @property
    def scope_labels(self) -> list[str]:
        return [str(scope.label) for scope in Scope if scope in self.scopes]

    def note_use(self) -> None:
        """Note the time of use, at most once an hour."""
        now = timezone.now()
        if self.used_at is None or self.used_at < now - NOTED_AGAIN_AFTER:
            ApiToken.objects.filter(pk=self.pk).update(used_at=now)

    @transaction.atomic
    def revoke(self) -> None:
        """Delete the token and end its websockets after commit. Safe to repeat."""
        if self.pk is not None:
            ended = partial(signals.sessions_ended.send, ApiToken, user=self.user, only=self.digest)
            self.delete()
            transaction.on_commit(ended, robust=True)
