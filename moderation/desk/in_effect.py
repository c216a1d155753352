"""Whether a decision has taken effect: in the rows, and in what the media node says it has applied.

`Case.decide` in `moderation/models/case.py` carries the decision out.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from moderation.models import Decision
from moderation.rules import Kind
from rooms.models import Space
from rooms.nodes import placement
from rooms.store import standing

# A node cut off from Redis loses its heartbeat after 3 s but keeps playing; a dead node never confirms anything.
# Both look the same from here, so this time has to pass before either counts as silent. By then the pages have left it.
UNHEARD = timedelta(seconds=60)


@dataclass(frozen=True)
class Effect:
    """`done` is False while something is still missing; ask again then."""

    done: bool
    text: str


def of(decision: Decision, now: datetime) -> Effect:
    """The effect of a decision so far, in one line for staff."""
    if decision.kind == Kind.DISMISS:
        return Effect(True, _("Nothing changes in the Space. The sound is deleted on its usual date."))
    if not _in_the_rows(decision):
        return Effect(False, _("Taking effect in the Space…"))
    if not _in_the_sound(decision, now):
        return Effect(False, _("Done on the pages. The sound server has not confirmed it yet…"))
    return Effect(True, _done(decision))


def _in_the_rows(decision: Decision) -> bool:
    case = decision.case
    if decision.kind == Kind.END:
        return case.space.state == Space.State.ENDED
    if decision.kind == Kind.REMOVE:
        return not case.participation().filter(left_at=None).exists()
    return not case.subject.participations.present().filter(space__state=Space.State.LIVE).exists()


def _in_the_sound(decision: Decision, now: datetime) -> bool:
    """Whether the media node has applied it. A Space on no node has no sound to wait for."""
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
        return _("@%(handle)s was removed from the Space, on the pages and in the sound, and cannot come back.") % {
            "handle": handle
        }
    return _("@%(handle)s is suspended and no longer in any live Space.") % {"handle": handle}
