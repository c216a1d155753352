"""Who may enter, see and hear a Space: the query that page, socket and API start from."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Follow, User
from rooms.models import Space
from rooms.refusals import Refused
from rooms.rules import Reason
from tests.rig.rights import give
from tests.rig.spaces import may_enter

OpenSpace = Callable[..., Space]
pytestmark = pytest.mark.django_db


def test_followers_enter_and_strangers_do_not(tea: Space, sol: User, dee: User, hana: User) -> None:
    assert may_enter(tea, sol)
    assert may_enter(tea, hana)
    assert not may_enter(tea, dee)
    with pytest.raises(Space.DoesNotExist):
        tea.enter(dee)


def test_a_request_to_follow_is_not_following(hana: User, dee: User, open_space: OpenSpace) -> None:
    hana.approves_followers = True
    hana.save(update_fields=["approves_followers"])
    dee.follow(hana)
    space = open_space(hana)
    assert not may_enter(space, dee)
    hana.approve(dee)
    assert may_enter(space, dee)


def test_named_people_enter_and_followers_do_not(hana: User, sol: User, dee: User, open_space: OpenSpace) -> None:
    sol.follow(hana)
    space = open_space(hana, audience=Space.Audience.NAMED, invited=[dee])
    assert may_enter(space, dee)
    assert not may_enter(space, sol)


def test_who_follows_during_the_space_may_enter(tea: Space, hana: User, dee: User) -> None:
    dee.follow(hana)
    assert may_enter(tea, dee)


def test_unless_the_host_wants_earlier_followers_only(hana: User, sol: User, dee: User, open_space: OpenSpace) -> None:
    sol.follow(hana)
    space = open_space(hana, earlier_followers_only=True)
    dee.follow(hana)
    assert may_enter(space, sol)
    assert not may_enter(space, dee)
    Follow.objects.filter(follower=dee).update(accepted_at=space.created_at - timedelta(seconds=1))
    assert may_enter(space, dee)


@pytest.mark.parametrize("host_blocks", [True, False])
def test_a_block_keeps_both_sides_apart(tea: Space, hana: User, sol: User, host_blocks: bool) -> None:
    (hana if host_blocks else sol).block(hana if not host_blocks else sol)
    assert not may_enter(tea, sol)


def test_a_block_keeps_a_named_person_out(hana: User, sol: User, open_space: OpenSpace) -> None:
    space = open_space(hana, audience=Space.Audience.NAMED, invited=[sol])
    sol.block(hana)
    assert not may_enter(space, sol)


def test_suspended_people_enter_nothing(tea: Space, sol: User) -> None:
    sol.suspend(timezone.now() + timedelta(days=1))
    assert not may_enter(tea, sol)


@pytest.mark.parametrize("person", ["sol", "hana"])
def test_a_disabled_member_leaves_the_live_space_at_once(
    tea: Space, hana: User, sol: User, person: str, django_capture_on_commit_callbacks: Any
) -> None:
    for user in (hana, sol):
        tea.enter(user)
    with django_capture_on_commit_callbacks(execute=True):
        {"hana": hana, "sol": sol}[person].deactivate()
    tea.refresh_from_db()
    assert (tea.state == Space.State.ENDED) is (person == "hana")
    assert tea.participants.get(user=sol).left_at is not None


def test_an_ended_space_cannot_be_entered(tea: Space, sol: User) -> None:
    tea.end()
    assert not may_enter(tea, sol)
    with pytest.raises(Space.DoesNotExist):
        tea.enter(sol)


def test_the_gate_of_hosting(sol: User, open_space: OpenSpace) -> None:
    with pytest.raises(Refused) as refused:
        open_space(sol)
    assert refused.value.reason == Reason.TOO_FEW_FOLLOWERS
    give(sol, suspended_until=timezone.now() + timedelta(days=1), may_host=True)
    with pytest.raises(Refused) as refused:
        open_space(sol)
    assert refused.value.reason == Reason.SUSPENDED


def test_one_live_space_per_host(tea: Space, hana: User, open_space: OpenSpace) -> None:
    with pytest.raises(Refused) as refused:
        open_space(hana)
    assert refused.value.reason == Reason.ALREADY_LIVE
    tea.end()
    assert open_space(hana).state == Space.State.LIVE


# Inviting during the Space
