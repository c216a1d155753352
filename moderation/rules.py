"""Who may report, and who may decide what: answers with a reason or None. Imports nothing of the models.

Reports also have to pass `rooms/rules.py`, which says what each role in a Space may do.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from accounts.rules import Rank, may_decide_about

REPORTS_PER_HOUR = 10  # of one reporter
SAME_REPORT_SECONDS = 60  # the same report sent again within this time counts as one
TEXT_LENGTH = 1000
REASON_LENGTH = 2000  # of a decision
CLAIM_IDLE = timedelta(minutes=15)  # after this time without activity a claim lapses
SUSPENSION_DAYS = 3650  # at most


class Kind(StrEnum):
    """What a decision does."""

    DISMISS = "dismiss"
    REMOVE = "remove_from_space"
    END = "end_space"
    SUSPEND = "suspend"


class Reason(StrEnum):
    """Why something may not be done. The texts are in `moderation/refusals.py`."""

    ON_YOURSELF = "on_yourself"
    NOT_IN_THE_SPACE = "not_in_the_space"
    SOUND_IS_GONE = "sound_is_gone"
    TEXT_TOO_LONG = "text_too_long"
    TOO_MANY_REPORTS = "too_many_reports"
    NOT_A_REVIEWER = "not_a_reviewer"
    ABOUT_YOU = "about_you"
    REPORTED_BY_YOU = "reported_by_you"
    YOU_WERE_THERE = "you_were_there"
    CLAIMED_BY_ANOTHER = "claimed_by_another"
    NOT_CLAIMED = "not_claimed"
    ALREADY_DECIDED = "already_decided"
    REASON_MISSING = "reason_missing"
    REASON_TOO_LONG = "reason_too_long"
    SPACE_OVER = "space_over"
    HOST_STAYS = "host_stays"
    NEVER_INSIDE = "never_inside"
    STAFF_ACCOUNT = "staff_account"
    STAFF_SPACE = "staff_space"
    CLAIMS_OPEN = "claims_open"
    UNTIL_MISSING = "until_missing"
    UNTIL_OUT_OF_RANGE = "until_out_of_range"


@dataclass(frozen=True)
class Facts:
    """What the rules have to know of a case."""

    space_live: bool
    subject_hosts: bool
    subject_inside: bool  # was ever in the Space
    host_rank: Rank


@dataclass(frozen=True)
class Ties:
    """What connects a member of staff with a case."""

    is_subject: bool
    is_reporter: bool
    was_there: bool  # hosted the Space, or was on its stage


def filing_refusal(same_person: bool, recent: int, text_length: int) -> Reason | None:
    """May a report be filed? `recent`: how many the reporter has filed within the last hour."""
    if same_person:
        return Reason.ON_YOURSELF
    if text_length > TEXT_LENGTH:
        return Reason.TEXT_TOO_LONG
    return Reason.TOO_MANY_REPORTS if recent >= REPORTS_PER_HOUR else None


def reviewing_refusal(permitted: bool, ties: Ties, rank: Rank, subject_rank: Rank) -> Reason | None:
    """May this member of staff claim the case, hear its sound and decide it, in any way?"""
    if not permitted:
        return Reason.NOT_A_REVIEWER
    if ties.is_subject:
        return Reason.ABOUT_YOU
    if ties.was_there:
        return Reason.YOU_WERE_THERE
    if ties.is_reporter:
        return Reason.REPORTED_BY_YOU
    return None if may_decide_about(rank, subject_rank) else Reason.STAFF_ACCOUNT


def kind_refusal(kind: Kind, facts: Facts, rank: Rank) -> Reason | None:
    """Can this be decided in this case? The desk offers nothing else."""
    if kind in (Kind.REMOVE, Kind.END) and not facts.space_live:
        return Reason.SPACE_OVER
    if kind == Kind.REMOVE and facts.subject_hosts:
        return Reason.HOST_STAYS
    if kind == Kind.REMOVE and not facts.subject_inside:
        return Reason.NEVER_INSIDE
    if kind == Kind.END and not may_decide_about(rank, facts.host_rank):
        return Reason.STAFF_SPACE
    return None


def statement_refusal(kind: Kind, reason: str, lasting: timedelta | None) -> Reason | None:
    """Is the decision complete? `lasting`: the length of a suspension, or None."""
    if not reason.strip():
        return Reason.REASON_MISSING
    if len(reason) > REASON_LENGTH:
        return Reason.REASON_TOO_LONG
    if kind != Kind.SUSPEND:
        return None
    if lasting is None:
        return Reason.UNTIL_MISSING
    in_range = timedelta(0) < lasting <= timedelta(days=SUSPENSION_DAYS, minutes=1)
    return None if in_range else Reason.UNTIL_OUT_OF_RANGE
