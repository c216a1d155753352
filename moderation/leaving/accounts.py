"""Accounts that are closed, opened again and erased: what the audit trail says, and what staff have to do before."""

from django.utils import timezone

from accounts.models import User
from accounts.rules import Deed
from moderation import deeds
from moderation.models import AuditEvent, Case
from moderation.refusals import check
from moderation.rules import Reason

Verb = AuditEvent.Verb


def closing(user: User, by: User | None, reason: str) -> None:
    """Record that the account is closed, by its member, a superuser or an operator. Raises Refused.

    Superusers are told what a superuser has done.
    """
    _check_claims(user)
    facts = {"reason": reason} if reason else {}
    if by is None or by.pk == user.pk:
        AuditEvent.write(Verb.ACCOUNT_CLOSED, by, facts, person=user)
    else:
        deeds.record(Deed.CLOSED, user, by, facts)


def reopening(user: User) -> None:
    AuditEvent.write(Verb.ACCOUNT_REOPENED, user, person=user)


def erasing(user: User) -> None:
    _check_claims(user)
    AuditEvent.write(Verb.ACCOUNT_ERASED, None, person=user)


def _check_claims(user: User) -> None:
    """Raise Refused if `user` works on cases: they would be left undecided in the hands of no one."""
    claimed = Case.objects.claimed_by_now(user, timezone.now()).exists()
    check(Reason.CLAIMS_OPEN if claimed else None)
