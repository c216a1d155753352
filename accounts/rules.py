"""Who may follow, block and approve whom: answers with a reason or None. Imports nothing of the models."""

from enum import IntEnum, StrEnum


class Reason(StrEnum):
    """Why something may not be done. The API answers the value as `code`; the texts are in `accounts/refusals.py`."""

    FOLLOW_YOURSELF = "follow_yourself"
    BLOCK_YOURSELF = "block_yourself"
    SUSPENDED = "suspended"
    PERSON_UNAVAILABLE = "person_unavailable"
    NOT_ASKED = "not_asked"
    DEED_ON_YOURSELF = "deed_on_yourself"
    DEED_NOT_PERMITTED = "deed_not_permitted"
    HIGHER_RANK = "higher_rank"
    REASON_MISSING = "reason_missing"
    LAST_SUPERUSER = "last_superuser"
    TOO_MANY_TOKENS = "too_many_tokens"


class Rank(IntEnum):
    """What an account is, for decisions about it."""

    MEMBER = 0
    STAFF = 1
    SUPERUSER = 2


class Deed(StrEnum):
    """A change of an account's rights or standing. Each has a reason and an audit event in its transaction."""

    ACCOUNT_MADE = "account_made"  # with rights from the start
    SUSPENDED = "suspended"
    SUSPENSION_LIFTED = "suspension_lifted"
    LOCKED = "account_locked"
    UNLOCKED = "account_unlocked"
    CLOSED = "account_closed"  # by its member, too
    HOSTING_GRANTED = "hosting_granted"
    HOSTING_WITHDRAWN = "hosting_withdrawn"
    STAFF_MADE = "staff_made"
    STAFF_ENDED = "staff_ended"
    SUPERUSER_MADE = "superuser_made"
    SUPERUSER_ENDED = "superuser_ended"
    GROUP_JOINED = "group_joined"
    GROUP_LEFT = "group_left"
    FACTOR_RESET = "second_factor_reset"


# The permission that each deed needs. All others are for superusers.
DEED_PERMISSIONS = {
    Deed.SUSPENDED: "moderation.decide_case",
    Deed.SUSPENSION_LIFTED: "moderation.decide_case",
    Deed.HOSTING_GRANTED: "accounts.grant_hosting",
    Deed.HOSTING_WITHDRAWN: "accounts.grant_hosting",
}

FOLLOW_REASONS = (Reason.FOLLOW_YOURSELF, Reason.SUSPENDED, Reason.PERSON_UNAVAILABLE)


def follow_refusal(same_person: bool, suspended: bool, blocked: bool) -> Reason | None:
    """May one person follow another? `blocked`: one of the two has blocked the other."""
    if same_person:
        return Reason.FOLLOW_YOURSELF
    if suspended:
        return Reason.SUSPENDED
    return Reason.PERSON_UNAVAILABLE if blocked else None


def approve_refusal(asked: bool) -> Reason | None:
    """May a follower be approved? `asked`: there is a request of theirs, open or approved already."""
    return None if asked else Reason.NOT_ASKED


def block_refusal(same_person: bool) -> Reason | None:
    return Reason.BLOCK_YOURSELF if same_person else None


def may_decide_about(rank: Rank, other: Rank) -> bool:
    """Whether one rank may decide about another: staff about members, superusers about all, members about no one."""
    return rank > other or rank == Rank.SUPERUSER


def deed_refusal(same_person: bool, permitted: bool, rank: Rank, other: Rank, reason: str) -> Reason | None:
    """May a member of staff do this deed to another account? `rank` is theirs, `other` that of the account."""
    if same_person:
        return Reason.DEED_ON_YOURSELF
    if not permitted:
        return Reason.DEED_NOT_PERMITTED
    if not may_decide_about(rank, other):
        return Reason.HIGHER_RANK
    return None if reason.strip() else Reason.REASON_MISSING


def profile_refusal(suspended: bool) -> Reason | None:
    """May a member change their own profile?"""
    return Reason.SUSPENDED if suspended else None


def leaving_refusal(last_superuser: bool) -> Reason | None:
    """May an account be erased? `last_superuser`: no other superuser could log in afterwards."""
    return Reason.LAST_SUPERUSER if last_superuser else None


def token_refusal(suspended: bool, full: bool) -> Reason | None:
    """May a member make another API token? `full`: they have as many as one may have."""
    if suspended:
        return Reason.SUSPENDED
    return Reason.TOO_MANY_TOKENS if full else None
