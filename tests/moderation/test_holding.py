"""The sound behind a case is kept for review, for an appeal after a breach, and let go otherwise."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from moderation import holding
from moderation.refusals import Refused
from moderation.rules import Reason
from recordings.models import Hold, Recording
from recordings.models.mixable import State
from recordings.rules import LONGEST_HOLD
from rooms.models import Space


def active_kinds(space: Space) -> list[str]:
    return list(Recording.open_for(space).holds.active(timezone.now()).order_by("kind").values_list("kind", flat=True))


def test_it_holds_for_a_review(tea: Space) -> None:
    now, case_ref = timezone.now(), uuid4()
    holding.hold_for_review(tea, case_ref, now)
    hold = Hold.objects.get()
    assert (hold.kind, hold.case_ref, hold.until) == ("report", str(case_ref), now + LONGEST_HOLD)
    assert (hold.by, hold.reason) == (None, "open report")


def test_it_is_safe_to_repeat(tea: Space) -> None:
    now, case_ref = timezone.now(), uuid4()
    for moment in (now - timedelta(hours=1), now):
        holding.hold_for_review(tea, case_ref, moment)
    assert Hold.objects.get().until == now + LONGEST_HOLD


def test_it_refuses_what_is_gone(tea: Space) -> None:
    Recording.open_for(tea).close()
    Recording.objects.update(state=State.PURGED)
    assert not holding.is_kept(tea)
    with pytest.raises(Refused) as refusal:
        holding.hold_for_review(tea, uuid4(), timezone.now())
    assert refusal.value.reason == Reason.SOUND_IS_GONE
    assert not Hold.objects.exists()


def test_a_breach_keeps_the_sound_for_an_appeal(tea: Space) -> None:
    case_ref = uuid4()
    holding.hold_for_review(tea, case_ref, timezone.now())
    holding.settle(tea, case_ref, breach=True, now=timezone.now())
    assert active_kinds(tea) == ["breach"]


def test_a_dismissal_releases_the_holds_of_its_own_case_only(tea: Space) -> None:
    mine, other = uuid4(), uuid4()
    holding.hold_for_review(tea, mine, timezone.now())
    holding.hold_for_review(tea, other, timezone.now())
    holding.settle(tea, mine, breach=False, now=timezone.now())
    assert [hold.case_ref for hold in Hold.objects.active(timezone.now())] == [str(other)]
