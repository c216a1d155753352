"""Which sessions and tokens still last, for websockets that asked when they were opened."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts.models import ApiToken, MemberSession
from accounts.models.tokens import digest_of


@dataclass(frozen=True)
class Opened:
    """What a websocket was opened with. `key` is that of a session. It is empty for a token and after a renewal."""

    user: UUID
    digest: str
    key: str = ""


def lasting(opened: Collection[Opened]) -> set[str]:
    """The digests of what has neither been deleted nor expired.

    One query if all are sessions with a key, and two more for tokens, renewed sessions and those that have ended.
    """
    keys = {one.key: one.digest for one in opened if one.key}
    rows = Session.objects.filter(pk__in=keys, expire_date__gt=timezone.now())
    found = {keys[key] for key in rows.values_list("pk", flat=True)}
    others = {one.digest: one.user for one in opened if one.digest not in found}
    if others:
        found |= ApiToken.objects.still_valid(others)
        renewed = MemberSession.objects.lasting().filter(user__in=set(others.values()))
        found |= {digest_of(key) for key in renewed.values_list("session", flat=True)}
    return found
