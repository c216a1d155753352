"""Keeps the sound behind a case while it has to be reviewed, and lets it go afterwards."""

from datetime import datetime
from uuid import UUID

from moderation.refusals import Refused
from moderation.rules import Reason
from recordings.models import Hold, Recording
from recordings.refusals import Refused as HoldRefused
from recordings.rules import LONGEST_HOLD
from rooms.models import Space


def is_kept(space: Space) -> bool:
    """Whether the sound of this Space can still be reviewed."""
    return not Recording.open_for(space).is_gone


def hold_for_review(space: Space, case_ref: UUID, now: datetime) -> None:
    """Keep the sound of `space` for an open case, 90 days at most. Raises Refused if it is gone. Safe to repeat."""
    try:
        _place(Recording.open_for(space), case_ref, Hold.Kind.REPORT, now)
    except HoldRefused as refused:
        raise Refused(Reason.SOUND_IS_GONE) from refused


def settle(space: Space, case_ref: UUID, breach: bool, now: datetime) -> None:
    """End the hold for review of a decided case. If a breach was found, keep the sound for an appeal."""
    recording = Recording.open_for(space)
    if breach and not recording.is_gone:
        _place(recording, case_ref, Hold.Kind.BREACH, now)
    for hold in recording.holds.filter(kind=Hold.Kind.REPORT, case_ref=str(case_ref), released_at=None):
        recording.release_hold(hold)


def _place(recording: Recording, case_ref: UUID, kind: Hold.Kind, now: datetime) -> None:
    """Name the case and no person: people who look after recordings need not know who reported."""
    recording.hold(kind=kind, case_ref=str(case_ref), until=now + LONGEST_HOLD, reason=str(kind.label), by=None)
