"""Links with which one person may make an account on a site that is open to invited people only."""

import hashlib
import secrets
from datetime import timedelta

from django.db import models
from django.utils import timezone

SECRET_BYTES = 24


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


class SignupLink(models.Model):
    """A link for one account. The row has a hash (SHA-256) of its key, which is kept nowhere."""

    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"until {self.expires_at:%Y-%m-%d}"

    @classmethod
    def make(cls, days: int) -> str:
        """Make a link that is valid for `days`, and return its key."""
        key = secrets.token_urlsafe(SECRET_BYTES)
        now = timezone.now()
        cls.objects.create(digest=_digest(key), created_at=now, expires_at=now + timedelta(days=days))
        return key

    @classmethod
    def is_valid(cls, key: str) -> bool:
        return cls._open(key).exists()

    @classmethod
    def use(cls, key: str) -> bool:
        """Use up the link. False if it is not valid (any more): of two who use it at once, one is first."""
        return cls._open(key).update(used_at=timezone.now()) == 1

    @classmethod
    def _open(cls, key: str) -> "models.QuerySet[SignupLink]":
        return cls.objects.filter(digest=_digest(key), used_at=None, expires_at__gt=timezone.now())
