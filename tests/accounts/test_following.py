"""Following: by whom, of whom, with and without approval; and blocking, which ends it."""

from datetime import datetime
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts import signals
from accounts.models import Block, Follow, User
from accounts.people import Relation
from accounts.refusals import TEXTS, Refused
from accounts.rules import Reason


@pytest.fixture
def careful(hana: User) -> User:
    """hana, who approves each follower."""
    hana.approves_followers = True
    hana.save(update_fields=["approves_followers"])
    return hana


def test_every_reason_has_a_text() -> None:
    assert set(TEXTS) == set(Reason)
    assert all(str(text) for text in TEXTS.values())


def test_follow_counts_and_keeps_its_date(hana: User, lior: User) -> None:
    follow = lior.follow(hana)
    assert follow.state == Follow.State.ACCEPTED
    assert follow.accepted_at == follow.created_at
    assert hana.follower_count == 1
    assert hana.is_followed_by(lior)
    assert lior.relation_to(hana) == Relation.FOLLOWING


def test_following_twice_counts_once(hana: User, lior: User) -> None:
    assert lior.follow(hana).pk == lior.follow(hana).pk
    assert hana.follower_count == 1


def test_members_do_not_follow_themselves(hana: User) -> None:
    with pytest.raises(Refused, match=Reason.FOLLOW_YOURSELF):
        hana.follow(hana)
    assert hana.relation_to(hana) == Relation.ONESELF


def test_a_suspended_member_does_not_follow(hana: User, lior: User, tomorrow: datetime) -> None:
    lior.suspend(tomorrow)
    with pytest.raises(Refused, match=Reason.SUSPENDED):
        lior.follow(hana)
    assert not hana.is_followed_by(lior)


def test_a_suspension_counts_even_for_a_copy_read_before_it(hana: User, lior: User, tomorrow: datetime) -> None:
    User.objects.get(pk=lior.pk).suspend(tomorrow)
    with pytest.raises(Refused, match=Reason.SUSPENDED):
        lior.follow(hana)


def test_unfollow_counts_down_once(hana: User, lior: User) -> None:
    lior.follow(hana)
    lior.unfollow(hana)
    lior.unfollow(hana)
    assert hana.follower_count == 0
    assert lior.relation_to(hana) == Relation.NONE


def test_removing_a_follower_is_unfollowing_from_the_other_side(hana: User, lior: User) -> None:
    lior.follow(hana)
    hana.remove_follower(lior)
    assert hana.follower_count == 0
    assert not hana.is_followed_by(lior)


# Approval


def test_a_request_is_not_a_follow(careful: User, lior: User) -> None:
    follow = lior.follow(careful)
    assert (follow.state, follow.accepted_at) == (Follow.State.REQUESTED, None)
    assert careful.follower_count == 0
    assert not careful.is_followed_by(lior)
    assert lior.relation_to(careful) == Relation.REQUESTED


def test_approval_counts_from_now(careful: User, lior: User) -> None:
    asked = lior.follow(careful)
    careful.approve(lior)
    careful.approve(lior)
    asked.refresh_from_db()
    assert asked.accepted_at is not None
    assert asked.accepted_at > asked.created_at
    assert careful.follower_count == 1


def test_a_declined_request_is_gone_and_may_come_again(careful: User, lior: User) -> None:
    lior.follow(careful)
    careful.decline(lior)
    assert lior.relation_to(careful) == Relation.NONE
    assert lior.follow(careful).state == Follow.State.REQUESTED
    assert careful.follower_count == 0


def test_declining_ends_no_follow(hana: User, lior: User) -> None:
    lior.follow(hana)
    hana.decline(lior)
    assert hana.is_followed_by(lior)


def test_a_request_taken_back_cannot_be_approved(careful: User, lior: User) -> None:
    lior.follow(careful)
    lior.unfollow(careful)
    with pytest.raises(Refused, match=Reason.NOT_ASKED):
        careful.approve(lior)
    assert careful.follower_count == 0


def test_members_approve_only_their_own_followers(careful: User, lior: User, dee: User) -> None:
    lior.follow(careful)
    with pytest.raises(Refused, match=Reason.NOT_ASKED):
        dee.approve(lior)
    dee.decline(lior)
    assert lior.relation_to(careful) == Relation.REQUESTED


def test_present_followers_stay_when_approval_is_switched_on(hana: User, lior: User) -> None:
    lior.follow(hana)
    hana.approves_followers = True
    hana.save(update_fields=["approves_followers"])
    assert lior.follow(hana).state == Follow.State.ACCEPTED
    assert hana.follower_count == 1


# Blocking


def test_a_block_ends_following_both_ways(hana: User, dee: User) -> None:
    dee.follow(hana)
    hana.follow(dee)
    hana.block(dee)
    hana.block(dee)
    assert (hana.follower_count, dee.follower_count) == (0, 0)
    assert Block.between(hana, dee).count() == 1
    assert hana.relation_to(dee) == Relation.BLOCKING


def test_neither_can_follow_while_one_blocks(hana: User, dee: User) -> None:
    hana.block(dee)
    for follower, followee in ((hana, dee), (dee, hana)):
        with pytest.raises(Refused, match=Reason.PERSON_UNAVAILABLE):
            follower.follow(followee)


def test_a_block_takes_an_open_request_away(careful: User, dee: User) -> None:
    dee.follow(careful)
    careful.block(dee)
    assert not Follow.objects.exists()
    with pytest.raises(Refused, match=Reason.NOT_ASKED):
        careful.approve(dee)


def test_unblocking_does_not_bring_follows_back(hana: User, dee: User) -> None:
    dee.follow(hana)
    hana.block(dee)
    hana.unblock(dee)
    assert not hana.is_followed_by(dee)
    dee.follow(hana)
    assert hana.follower_count == 1


def test_unblocking_leaves_the_block_of_the_other(hana: User, dee: User) -> None:
    hana.block(dee)
    dee.block(hana)
    hana.unblock(dee)
    assert Block.between(hana, dee).get().blocker == dee


def test_members_do_not_block_themselves(hana: User) -> None:
    with pytest.raises(Refused, match=Reason.BLOCK_YOURSELF):
        hana.block(hana)


# Signals and constraints


def test_the_rooms_hear_of_a_block_after_commit(
    hana: User, dee: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    heard: list[Any] = []

    def hear(**kwargs: Any) -> None:
        heard.append((kwargs["blocker"], kwargs["blocked"]))

    signals.blocked.connect(hear)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            hana.block(dee)
            assert heard == []
    finally:
        signals.blocked.disconnect(hear)
    assert heard == [(hana, dee)]


@pytest.mark.parametrize(
    "row",
    [
        {"state": Follow.State.ACCEPTED, "accepted_at": None},
        {"state": Follow.State.REQUESTED, "accepted_at": "2026-01-01T00:00Z"},
        {"state": "friend", "accepted_at": None},
    ],
)
def test_the_database_refuses_rows_that_make_no_sense(hana: User, lior: User, row: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Follow.objects.create(follower=lior, followee=hana, **row)


def test_the_count_never_falls_below_nothing(hana: User) -> None:
    hana.count_followers(-1)
    assert hana.follower_count == 0


def test_an_old_copy_does_not_write_its_count_back(hana: User, lior: User) -> None:
    old = User.objects.get(pk=hana.pk)
    lior.follow(hana)
    old.bio = "hello"
    old.save()
    hana.refresh_from_db()
    assert (hana.follower_count, hana.bio) == (1, "hello")
