"""Whether the live room has followed a decision: by the rows, and by what the media node says it has applied."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from moderation.models import Decision
from moderation.rules import Kind
from rooms.models import Space
from rooms.nodes import placement
from rooms.store import standing

# A node that is cut off from Redis has no heartbeat after 3 s, and plays on; one that died never confirms anything.
# From here both look the same, so neither counts as silent before this is over; our pages have let go of it by then.
UNHEARD = timedelta(seconds=60)


@dataclass(frozen=True)
class Effect:
    """`done` is False while something is still on its way; ask again then."""

    done: bool
    text: str


def of(decision: Decision, now: datetime) -> Effect:
    """What has become of a decision by now, in one line for staff."""
    if decision.kind == Kind.DISMISS:
        return Effect(True, _("Nothing was to be done in the room. The sound goes at its ordinary date."))
    if not _in_the_rows(decision):
        return Effect(False, _("On its way to the room…"))
    if not _in_the_sound(decision, now):
        return Effect(False, _("Done on the pages; the sound server has not confirmed it yet…"))
    return Effect(True, _done(decision))


def _in_the_rows(decision: Decision) -> bool:
    case = decision.case
    if decision.kind == Kind.END:
        return case.space.state == Space.State.ENDED
    if decision.kind == Kind.REMOVE:
        return not case.participation().filter(left_at=None).exists()
    return not case.subject.participations.present().filter(space__state=Space.State.LIVE).exists()


def _in_the_sound(decision: Decision, now: datetime) -> bool:
    """A Space that no sound server has, or none any more, has no sound to wait for."""
    space = decision.case.space
    if standing.in_effect(space.pk) >= space.standing_version:
        return True
    sounds = placement.is_sounding(space)
    since = space.ended_at or decision.created_at
    return now - since > UNHEARD if sounds is None else not sounds


def _done(decision: Decision) -> str:
    handle = decision.case.subject.handle
    if decision.kind == Kind.END:
        return _("The Space has ended, on the pages and in the sound.")
    if decision.kind == Kind.REMOVE:
        return _("@%(handle)s is out of the Space, on the pages and in the sound, and cannot come back.") % {
            "handle": handle
        }
    return _("@%(handle)s is suspended and in no live Space any more.") % {"handle": handle}
