"""What moderation has to say when an account is erased."""

from django.utils import timezone

from accounts.models import User
from moderation.models import Case
from moderation.refusals import check
from moderation.rules import Reason


def check_claims(user: User) -> None:
    """Raise Refused if `user` works on cases: they would be left undecided in the hands of no one."""
    claimed = Case.objects.claimed_by_now(user, timezone.now()).exists()
    check(Reason.CLAIMS_OPEN if claimed else None)
