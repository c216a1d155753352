"""The sound behind a case: that it is kept while somebody has to hear it, and let go when nobody has to any more."""

from datetime import datetime
from typing import TYPE_CHECKING

from moderation.refusals import Refused
from moderation.rules import Reason
from recordings.models import Hold, HoldRefused, Recording
from recordings.models.hold import LONGEST
from rooms.models import Space

if TYPE_CHECKING:
    from moderation.models import Case


def is_kept(space: Space) -> bool:
    """Can the sound of this Space still be reviewed?"""
    return not Recording.open_for(space).is_gone


def hold_for_review(case: "Case", now: datetime) -> None:
    """Keep the sound while the case is open, 90 days at most. Raises Refused if it is gone. Safe to repeat."""
    try:
        _place(Recording.open_for(case.space), case, Hold.Kind.REPORT, now)
    except HoldRefused as refused:
        raise Refused(Reason.SOUND_IS_GONE) from refused


def settle(case: "Case", breach: bool, now: datetime) -> None:
    """The case is decided: keep the sound for an appeal where a breach was found, else let it go at its date."""
    recording = Recording.open_for(case.space)
    if breach and not recording.is_gone:
        _place(recording, case, Hold.Kind.BREACH, now)
    for hold in recording.holds.filter(kind=Hold.Kind.REPORT, case_ref=str(case.pk), released_at=None):
        hold.release()


def _place(recording: Recording, case: "Case", kind: Hold.Kind, now: datetime) -> None:
    """The hold names the case and nobody: whoever looks after recordings need not know who reported."""
    recording.hold(kind=kind, case_ref=str(case.pk), until=now + LONGEST, reason=str(kind.label), by=None)
