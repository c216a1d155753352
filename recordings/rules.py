"""How long sound may be kept for a case: answers with a reason or None. Imports nothing of the models."""

from datetime import datetime, timedelta
from enum import StrEnum

LONGEST_HOLD = timedelta(days=90)  # after that a person decides again


class Reason(StrEnum):
    """Why a hold cannot be placed or renewed. The texts are in `recordings/refusals.py`."""

    PURGED = "purged"
    NOT_AHEAD = "not_ahead"
    TOO_LONG = "too_long"
    RELEASED = "released"


def hold_refusal(gone: bool, until: datetime, now: datetime) -> Reason | None:
    """May sound be kept until then? `gone`: it has been purged, or is being purged."""
    if gone:
        return Reason.PURGED
    if until <= now:
        return Reason.NOT_AHEAD
    return Reason.TOO_LONG if until > now + LONGEST_HOLD else None


def renewal_refusal(released: bool) -> Reason | None:
    return Reason.RELEASED if released else None
