"""Rights for the cast, without asking who gives them."""

from typing import Any

from django.db import transaction

from accounts.models import User
from moderation.models import AuditEvent


@transaction.atomic
def give(person: User, **rights: Any) -> None:
    """Write `rights` into the row of `person`, with the audit event that the database wants to see."""
    AuditEvent.write(AuditEvent.Verb.ACCOUNT_MADE, None, person=person)
    User.objects.filter(pk=person.pk).update(**rights)
    person.refresh_from_db(fields=list(rights))
