"""Decisions on the desk: what is missing is said, what takes effect, and when the sound has followed."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from moderation.desk import in_effect
from moderation.models import Case, Decision
from moderation.rules import Kind
from recordings.models import Recording
from rooms.models import Participant, Space
from tests.moderation.desk.test_pages import WHY, decide, desk
from tests.rig.media.heartbeat import beat

Browser = Callable[[User], Client]


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ({"kind": "dismiss", "reason": " "}, "Give a reason"),
        ({"reason": WHY}, "Choose a decision"),
        ({"kind": "suspend", "reason": WHY}, "for how many days"),
        ({"kind": "suspend", "days": "0", "reason": WHY}, "greater than or equal to 1"),
        ({"kind": "ban", "reason": WHY}, "not one of the available choices"),
        ({"kind": "dismiss", "reason": "x" * 2001}, "at most 2000 characters"),
    ],
)
def test_what_is_missing_is_said_beside_the_evidence(
    log_in: Browser, reviewer: User, claimed: Case, heard: Recording, said: dict[str, str], shown: str
) -> None:
    answer = decide(log_in(reviewer), claimed, **said)
    assert answer.status_code == 400
    assert shown in answer.content.decode()
    assert "<audio" in answer.content.decode()
    assert not Decision.objects.exists()


def test_a_decision_takes_effect_and_says_so(
    log_in: Browser, reviewer: User, claimed: Case, speaker: Participant
) -> None:
    answer = decide(log_in(reviewer), claimed, kind="remove_from_space", reason=WHY)
    assert answer.status_code == 200
    assert "was removed from the Space" in answer.content.decode()
    assert 'data-done="yes"' in answer.content.decode()
    speaker.refresh_from_db()
    assert speaker.removed_by == reviewer


def test_days_count_from_now(log_in: Browser, reviewer: User, claimed: Case, sol: User) -> None:
    decide(log_in(reviewer), claimed, kind="suspend", days="7", reason=WHY)
    sol.refresh_from_db()
    assert sol.suspended_until is not None
    assert 6.9 < (sol.suspended_until - timezone.now()).total_seconds() / 86400 < 7.1


def test_days_do_not_matter_without_a_suspension(log_in: Browser, reviewer: User, claimed: Case) -> None:
    decide(log_in(reviewer), claimed, kind="dismiss", days="0", reason=WHY)
    assert Decision.objects.get().until is None


def heartbeat(*spaces: Space) -> None:
    """Write the heartbeat of a sound server that has these Spaces."""
    beat("here", spaces=[str(space.pk) for space in spaces])


@pytest.mark.parametrize("kind", ["remove_from_space", "end_space"])
def test_the_line_asks_again_while_the_sound_server_has_not_confirmed(
    log_in: Browser, reviewer: User, claimed: Case, tea: Space, kind: str
) -> None:
    heartbeat(tea)
    browser = log_in(reviewer)
    text = decide(browser, claimed, kind=kind, reason=WHY).content.decode()
    assert 'data-done="no"' in text
    assert "hx-trigger" in browser.get(desk(claimed, "followed/")).content.decode()
    heartbeat()
    text = browser.get(desk(claimed, "followed/")).content.decode()
    assert "hx-trigger" not in text, "the sound server has closed the Space, or it was empty"


def test_an_ended_space_that_no_sound_server_has_is_done(
    log_in: Browser, reviewer: User, claimed: Case, tea: Space
) -> None:
    """The Space was empty: the sound server had forgotten it and has nothing to confirm."""
    Space.objects.filter(pk=tea.pk).update(node="here", boot="1")
    heartbeat()
    text = decide(log_in(reviewer), claimed, kind="end_space", reason=WHY).content.decode()
    assert 'data-done="yes"' in text
    assert "The Space has ended" in text


@pytest.mark.parametrize("kind", [Kind.REMOVE, Kind.END])
def test_a_sound_server_without_a_heartbeat_is_not_taken_for_silent_at_once(
    reviewer: User, claimed: Case, tea: Space, kind: Kind
) -> None:
    """It may only be cut off, and play on."""
    Space.objects.filter(pk=tea.pk).update(node="gone", boot="1")
    heartbeat()
    decision = claimed.decide(reviewer, kind, WHY)
    decision.case.space.refresh_from_db()
    just_before, just_after = (decision.created_at + timedelta(seconds=seconds) for seconds in (59, 62))
    assert not in_effect.of(decision, decision.created_at).done
    assert not in_effect.of(decision, just_before).done
    assert in_effect.of(decision, just_after).done
    Space.objects.filter(pk=tea.pk).update(node="here")
    decision.case.space.refresh_from_db()
    assert in_effect.of(decision, decision.created_at).done, "its sound server lives and says that it has no such Space"
    heartbeat(tea)
    assert not in_effect.of(decision, just_after).done, "it still says that it has the Space"
