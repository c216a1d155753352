"""Following: by whom, of whom, with and without approval."""

import pytest

from accounts.models import Follow, FollowRefused, Relation, User


def test_follow_counts_and_tells_since_when(hana: User, lior: User) -> None:
    follow = lior.follow(hana)
    assert follow.state == Follow.State.ACCEPTED
    assert follow.accepted_at == follow.created_at
    assert hana.follower_count == 1
    assert hana.is_followed_by(lior)
    assert lior.relation_to(hana) == Relation.FOLLOWING


def test_following_twice_counts_once(hana: User, lior: User) -> None:
    assert lior.follow(hana).pk == lior.follow(hana).pk
    assert hana.follower_count == 1


def test_nobody_follows_himself(hana: User) -> None:
    with pytest.raises(FollowRefused, match="yourself"):
        hana.follow(hana)


def test_a_suspended_member_follows_nobody(hana: User, lior: User, tomorrow) -> None:
    lior.suspend(tomorrow)
    with pytest.raises(FollowRefused, match="suspended"):
        lior.follow(hana)
    assert not hana.is_followed_by(lior)


def test_unfollow_counts_down_once(hana: User, lior: User) -> None:
    lior.follow(hana)
    lior.unfollow(hana)
    lior.unfollow(hana)
    assert hana.follower_count == 0
    assert lior.relation_to(hana) == Relation.NONE
