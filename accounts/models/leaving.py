"""What goes with an erased account, and the handles that are not given out again."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from django.contrib.admin.models import LogEntry
from django.db import models
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils.translation import gettext_lazy as _

from accounts.models.relations import Follow

if TYPE_CHECKING:
    from accounts.models.user import User

GONE_PREFIX = "gone_"
KEPT = {"admin.LogEntry"}  # what a member of staff did in the admin stays, under the opaque id


class RetiredHandle(models.Model):
    """The handle of an erased account, as SHA-256 in hex. A trigger on the table of people refuses it."""

    digest = models.CharField(max_length=64, primary_key=True)
    retired_at = models.DateTimeField(_("retired"))

    class Meta:
        default_permissions = []

    def __str__(self) -> str:
        return self.digest

    @classmethod
    def retire(cls, handle: str, now: datetime) -> None:
        cls.objects.get_or_create(digest=digest_of(handle), defaults={"retired_at": now})

    @classmethod
    def among(cls, handles: Iterable[str]) -> set[str]:
        """Those of `handles`, in any case, that are retired. They come back in lower case."""
        by_digest = {digest_of(handle): handle.lower() for handle in handles}
        found = cls.objects.filter(pk__in=by_digest).values_list("pk", flat=True)
        return {by_digest[digest] for digest in found}


def digest_of(handle: str) -> str:
    return hashlib.sha256(handle.lower().encode()).hexdigest()


def gone_handle() -> str:
    """A handle that says nothing and cannot be guessed, for the row that stays."""
    return f"{GONE_PREFIX}{secrets.token_hex(12)}"


def end_follows(person: "User") -> None:
    """Take the follows of `person` from the counts of those whom they follow. The rows are locked."""
    followed = Follow.objects.filter(follower=person, state=Follow.State.ACCEPTED).values("followee")
    rows = type(person)._base_manager.filter(pk__in=followed)
    rows.update(follower_count=Greatest(F("follower_count") - 1, 0))


def delete_rows_of(person: "User") -> None:
    """Delete what would go with the row of `person`: everything that points to it by CASCADE, of any app."""
    for relation in person._meta.get_fields(include_hidden=True):
        if not isinstance(relation, models.ForeignObjectRel) or relation.on_delete is not models.CASCADE:
            continue
        owner = relation.related_model
        if not owner._meta.auto_created and owner._meta.label not in KEPT:
            owner._base_manager.filter(**{relation.field.name: person}).delete()
    person.groups.clear()
    person.user_permissions.clear()


def forget_in_admin_log(person: "User") -> None:
    """Replace the name of `person` in the log of the admin, which holds it as a text."""
    of_people = LogEntry.objects.filter(content_type__app_label="accounts", content_type__model="user")
    of_people.filter(object_id=str(person.pk)).update(object_repr=str(person))
