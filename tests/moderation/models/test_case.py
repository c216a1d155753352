"""Claiming and deciding: who may, once, with a reason; and what the decision does."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from accounts.models import User
from accounts.rules import Rank
from moderation import rules, staff
from moderation.models import AuditEvent, Case, Decision, Notice, Report
from moderation.refusals import TEXTS, Refused
from moderation.rules import CLAIM_IDLE, Kind, Reason
from recordings.models import Hold
from rooms.models import Participant, Space
from rooms.protocol import Close
from tests.moderation.conftest import outcomes
from tests.rig.rights import give

WHY = "At 12:05 you called people animals. That is hate; our rules forbid it."
Captured = Callable[..., Any]


def refused(deed: Callable[..., object], *args: Any, **named: Any) -> Reason:
    with pytest.raises(Refused) as refusal:
        deed(*args, **named)
    assert refusal.value.text
    return refusal.value.reason


def tomorrow() -> Any:
    return timezone.now() + timedelta(days=1)


def idle(case: Case) -> None:
    Case.objects.filter(pk=case.pk).update(active_at=timezone.now() - CLAIM_IDLE)


def test_every_reason_has_a_text() -> None:
    assert set(TEXTS) == set(Reason)
    assert all(str(text) for text in TEXTS.values())


# Claiming


def test_only_a_permitted_member_of_staff_claims(case: Case, hana: User, mo: User) -> None:
    assert refused(case.claim, hana) == Reason.NOT_A_REVIEWER
    assert refused(case.claim, mo) == Reason.NOT_A_REVIEWER
    case.refresh_from_db()
    assert case.state == Case.State.NEW


def test_a_suspended_reviewer_claims_nothing(case: Case, reviewer: User) -> None:
    reviewer.suspend(tomorrow())
    assert refused(case.claim, reviewer) == Reason.NOT_A_REVIEWER


def test_a_claimed_case_is_not_to_be_had(claimed: Case, reviewer: User, colleague: User) -> None:
    assert refused(claimed.claim, colleague) == Reason.CLAIMED_BY_ANOTHER
    claimed.claim(reviewer)
    assert claimed.holder() == reviewer
    assert AuditEvent.objects.filter(verb=AuditEvent.Verb.CASE_CLAIMED).count() == 1


def test_an_idle_claim_is_free_again(claimed: Case, reviewer: User, colleague: User) -> None:
    idle(claimed)
    claimed.refresh_from_db()
    assert claimed.holder() is None
    assert not claimed.touch(reviewer)
    claimed.claim(colleague)
    assert claimed.holder() == colleague
    assert refused(claimed.decide, reviewer, Kind.DISMISS, WHY) == Reason.NOT_CLAIMED


def test_a_lapsed_claim_without_a_new_owner_lets_the_old_one_finish(claimed: Case, reviewer: User) -> None:
    idle(claimed)
    assert claimed.decide(reviewer, Kind.DISMISS, WHY).by == reviewer


def test_working_on_it_keeps_the_claim(claimed: Case, reviewer: User) -> None:
    Case.objects.update(active_at=timezone.now() - CLAIM_IDLE + timedelta(seconds=5))
    assert claimed.touch(reviewer)
    claimed.refresh_from_db()
    assert claimed.claim_ends is not None
    assert claimed.claim_ends > timezone.now() + timedelta(minutes=14)


def test_a_claim_given_back_is_free(claimed: Case, reviewer: User, colleague: User) -> None:
    claimed.release(colleague)
    assert claimed.holder() == reviewer
    claimed.release(reviewer)
    assert claimed.state == Case.State.NEW
    claimed.claim(colleague)


def test_two_reviewers_claim_at_once_and_one_gets_it(
    transactional_db: None, case: Case, reviewer: User, colleague: User
) -> None:
    both = [partial(Case.objects.get(pk=case.pk).claim, by) for by in (reviewer, colleague)]
    assert outcomes(*both) == ["claimed_by_another", "done"]
    case.refresh_from_db()
    assert case.claimed_by in (reviewer, colleague)


# Deciding: refusals


def test_staff_without_the_claim_do_not_decide(case: Case, reviewer: User, claimed: Case, colleague: User) -> None:
    assert refused(claimed.decide, colleague, Kind.DISMISS, WHY) == Reason.NOT_CLAIMED


def test_without_the_permission_nothing_is_decided(claimed: Case, reviewer: User) -> None:
    reviewer.leave(Group.objects.get(name=staff.REVIEWERS))
    assert refused(claimed.decide, User.objects.get(pk=reviewer.pk), Kind.DISMISS, WHY) == Reason.NOT_A_REVIEWER


@pytest.mark.parametrize("reason", ["", "  \n "])
def test_a_reason_is_compulsory(claimed: Case, reviewer: User, reason: str) -> None:
    assert refused(claimed.decide, reviewer, Kind.DISMISS, reason) == Reason.REASON_MISSING
    assert not Decision.objects.exists()


def test_too_long_a_reason_is_refused(claimed: Case, reviewer: User) -> None:
    assert refused(claimed.decide, reviewer, Kind.DISMISS, "x" * 2001) == Reason.REASON_TOO_LONG


def test_a_suspension_has_an_end_in_reach(claimed: Case, reviewer: User) -> None:
    now = timezone.now()
    assert refused(claimed.decide, reviewer, Kind.SUSPEND, WHY) == Reason.UNTIL_MISSING
    for until in (now - timedelta(days=1), now + timedelta(days=4000)):
        assert refused(claimed.decide, reviewer, Kind.SUSPEND, WHY, until) == Reason.UNTIL_OUT_OF_RANGE


def test_staff_do_not_decide_about_themselves(tea: Space, lior: User, host: Participant, listener: Participant) -> None:
    mo = User.objects.create_superuser("mo")
    mo.follow(tea.host)
    case = Report.file(lior, tea, tea.enter(mo), "hate").case
    assert refused(case.claim, mo) == Reason.ABOUT_YOU
    Case.objects.update(state="claimed", claimed_by=mo, claimed_at=timezone.now(), active_at=timezone.now())
    assert refused(case.decide, mo, Kind.DISMISS, WHY) == Reason.ABOUT_YOU
    assert not Case.objects.visible_to(mo).exists()


def test_staff_do_not_decide_what_they_reported(tea: Space, reviewer: User, speaker: Participant) -> None:
    reviewer.follow(tea.host)
    tea.enter(reviewer)
    case = Report.file(reviewer, tea, speaker, "hate").case
    assert refused(case.claim, reviewer) == Reason.REPORTED_BY_YOU
    Case.objects.update(state="claimed", claimed_by=reviewer, claimed_at=timezone.now(), active_at=timezone.now())
    assert refused(case.decide, reviewer, Kind.DISMISS, WHY) == Reason.REPORTED_BY_YOU


@pytest.mark.parametrize("right", ["is_staff", "is_superuser"])
@pytest.mark.parametrize("kind", Kind)
def test_superusers_alone_decide_about_staff(claimed: Case, reviewer: User, sol: User, right: str, kind: Kind) -> None:
    give(sol, **{right: True})
    until = tomorrow() if kind == Kind.SUSPEND else None
    assert refused(claimed.decide, reviewer, kind, WHY, until) == Reason.STAFF_ACCOUNT
    claimed.release(reviewer)
    assert refused(claimed.claim, reviewer) == Reason.STAFF_ACCOUNT
    give(reviewer, is_superuser=True)
    boss = User.objects.get(pk=reviewer.pk)
    claimed.claim(boss)
    assert claimed.decide(boss, kind, WHY, until).by == boss


@pytest.mark.parametrize("right", ["is_staff", "is_superuser"])
def test_superusers_alone_end_spaces_of_staff(claimed: Case, reviewer: User, hana: User, right: str) -> None:
    give(hana, **{right: True})
    case = Case.objects.get(pk=claimed.pk)
    assert refused(case.decide, reviewer, Kind.END, WHY) == Reason.STAFF_SPACE
    assert case.kinds_for(reviewer) == [Kind.DISMISS, Kind.REMOVE, Kind.SUSPEND]
    give(reviewer, is_superuser=True)
    assert case.decide(User.objects.get(pk=reviewer.pk), Kind.END, WHY)


def test_who_hosted_reviews_nothing_of_that_space(case: Case, hana: User) -> None:
    staff.make_reviewer(hana)
    hana = User.objects.get(pk=hana.pk)
    assert not Case.objects.visible_to(hana).exists()
    assert refused(case.claim, hana) == Reason.YOU_WERE_THERE
    Case.objects.update(state="claimed", claimed_by=hana, claimed_at=timezone.now(), active_at=timezone.now())
    assert refused(case.decide, hana, Kind.DISMISS, WHY) == Reason.YOU_WERE_THERE


def test_who_was_on_stage_reviews_nothing_of_that_space(
    tea: Space, host: Participant, claimed: Case, reviewer: User
) -> None:
    """Also after leaving the stage; listening alone is no tie."""
    reviewer.follow(tea.host)
    heard = tea.enter(reviewer)
    assert Case.objects.visible_to(reviewer).get() == claimed
    claimed.claim(reviewer)
    heard.ask_to_speak().admit(host)
    Participant.objects.get(pk=heard.pk).step_down()
    assert not Case.objects.visible_to(reviewer).exists()
    assert refused(claimed.claim, reviewer) == Reason.YOU_WERE_THERE
    assert refused(claimed.decide, reviewer, Kind.DISMISS, WHY) == Reason.YOU_WERE_THERE


def test_hosts_are_not_removed_from_their_own_space(
    tea: Space, lior: User, listener: Participant, reviewer: User
) -> None:
    case = Report.file(lior, tea, None, "hate").case
    case.claim(reviewer)
    assert refused(case.decide, reviewer, Kind.REMOVE, WHY) == Reason.HOST_STAYS
    assert case.kinds_for(reviewer) == [Kind.DISMISS, Kind.END, Kind.SUSPEND]


@pytest.mark.parametrize("kind", [Kind.REMOVE, Kind.END])
def test_an_ended_space_is_not_acted_on(claimed: Case, reviewer: User, tea: Space, kind: Kind) -> None:
    tea.end()
    assert refused(claimed.decide, reviewer, kind, WHY) == Reason.SPACE_OVER
    assert not Decision.objects.exists()


def test_a_case_is_decided_once(claimed: Case, reviewer: User) -> None:
    claimed.decide(reviewer, Kind.DISMISS, WHY)
    assert refused(claimed.decide, reviewer, Kind.REMOVE, WHY) == Reason.ALREADY_DECIDED
    assert refused(claimed.claim, reviewer) == Reason.ALREADY_DECIDED
    assert Decision.objects.get().kind == Kind.DISMISS


def test_two_decisions_at_once_and_one_wins(transactional_db: None, claimed: Case, reviewer: User) -> None:
    """The same reviewer in two tabs: both hold the claim, so only the lock on the case is between them."""
    both = [
        partial(Case.objects.get(pk=claimed.pk).decide, reviewer, kind, WHY) for kind in (Kind.DISMISS, Kind.REMOVE)
    ]
    assert outcomes(*both) == ["already_decided", "done"]
    assert Decision.objects.count() == 1
    assert AuditEvent.objects.filter(verb=AuditEvent.Verb.CASE_DECIDED).count() == 1


# Deciding: what it does


def test_a_dismissal_lets_the_sound_go_and_notifies_no_one(claimed: Case, reviewer: User, tea: Space) -> None:
    decision = claimed.decide(reviewer, Kind.DISMISS, f"  {WHY} ")
    assert decision.reason == WHY
    assert claimed.state == Case.State.DECIDED
    assert Hold.objects.get().released_at is not None
    assert not Notice.objects.exists()
    tea.refresh_from_db()
    assert tea.state == Space.State.LIVE


def test_a_finding_keeps_the_sound(claimed: Case, reviewer: User) -> None:
    claimed.decide(reviewer, Kind.REMOVE, WHY)
    breach = Hold.objects.get(released_at=None)
    assert (breach.kind, breach.case_ref) == ("breach", str(claimed.pk))
    assert Hold.objects.get(kind="report").released_at is not None


def test_removing_reaches_the_live_room(
    claimed: Case,
    reviewer: User,
    speaker: Participant,
    sent: list[dict[str, Any]],
    django_capture_on_commit_callbacks: Captured,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        claimed.decide(reviewer, Kind.REMOVE, WHY)
    speaker.refresh_from_db()
    assert speaker.removed_at is not None
    assert speaker.removed_by == reviewer
    closed = [frame for frame in sent if frame["_close"] == Close.REMOVED]
    assert [frame["_whom"] for frame in closed] == [str(speaker.pk)]
    with pytest.raises(Space.DoesNotExist):
        claimed.space.enter(claimed.subject)


def test_ending_reaches_the_live_room(
    claimed: Case,
    reviewer: User,
    tea: Space,
    sent: list[dict[str, Any]],
    django_capture_on_commit_callbacks: Captured,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        claimed.decide(reviewer, Kind.END, WHY)
    tea.refresh_from_db()
    assert (tea.state, tea.ended_why) == ("ended", "staff")
    assert sent[-1]["_close"] == Close.ENDED


def test_suspending_a_speaker_takes_them_out(
    claimed: Case,
    reviewer: User,
    speaker: Participant,
    sent: list[dict[str, Any]],
    django_capture_on_commit_callbacks: Captured,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        claimed.decide(reviewer, Kind.SUSPEND, WHY, tomorrow())
    speaker.refresh_from_db()
    assert speaker.left_at is not None
    assert User.objects.get(pk=speaker.user_id).is_suspended()
    assert str(speaker.pk) in [frame["_whom"] for frame in sent if frame["_close"]]


def test_suspending_a_host_ends_their_space(
    tea: Space,
    lior: User,
    listener: Participant,
    reviewer: User,
    sent: list[dict[str, Any]],
    django_capture_on_commit_callbacks: Captured,
) -> None:
    case = Report.file(lior, tea, None, "hate").case
    case.claim(reviewer)
    with django_capture_on_commit_callbacks(execute=True):
        case.decide(reviewer, Kind.SUSPEND, WHY, tomorrow())
    tea.refresh_from_db()
    assert (tea.state, tea.ended_why) == ("ended", "suspended")
    assert sent[-1]["_close"] == Close.ENDED


def test_a_shorter_suspension_does_not_shorten_a_longer_one(claimed: Case, reviewer: User, sol: User) -> None:
    longer = timezone.now() + timedelta(days=30)
    sol.suspend(longer)
    claimed.decide(reviewer, Kind.SUSPEND, WHY, tomorrow())
    assert User.objects.get(pk=sol.pk).suspended_until == longer


def test_the_host_of_an_ended_space_is_notified_too(claimed: Case, reviewer: User, sol: User, hana: User) -> None:
    claimed.decide(reviewer, Kind.END, WHY)
    assert {notice.user for notice in Notice.objects.all()} == {sol, hana}


def test_rules_are_plain_functions() -> None:
    live = rules.Facts(space_live=True, subject_hosts=False, subject_inside=True, host_rank=Rank.MEMBER)
    assert [rules.kind_refusal(kind, live, Rank.STAFF) for kind in Kind] == [None] * 4
    tied = rules.Ties(is_subject=True, is_reporter=True, was_there=True)
    assert rules.reviewing_refusal(False, tied, Rank.STAFF, Rank.MEMBER) == Reason.NOT_A_REVIEWER
