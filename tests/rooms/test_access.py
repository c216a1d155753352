"""Who may enter, see and hear a Space: the query behind every door."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Follow, User
from rooms import rules
from rooms.models import Space
from rooms.refusals import Refused
from rooms.rules import Reason

OpenSpace = Callable[..., Space]
pytestmark = pytest.mark.django_db


def may_enter(space: Space, user: User) -> bool:
    return Space.objects.enterable_by(user).filter(pk=space.pk).exists()


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
def test_a_block_keeps_out_whoever_made_it(tea: Space, hana: User, sol: User, host_blocks: bool) -> None:
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
def test_whoever_is_locked_out_leaves_the_live_space_at_once(
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
    sol.suspended_until = timezone.now() + timedelta(days=1)
    sol.may_host = True
    sol.save(update_fields=["suspended_until", "may_host"])
    with pytest.raises(Refused) as refused:
        open_space(sol)
    assert refused.value.reason == Reason.SUSPENDED


def test_one_live_space_per_host(tea: Space, hana: User, open_space: OpenSpace) -> None:
    with pytest.raises(Refused) as refused:
        open_space(hana)
    assert refused.value.reason == Reason.ALREADY_LIVE
    tea.end()
    assert open_space(hana).state == Space.State.LIVE


# --- inviting during the Space ---
@pytest.fixture
def private(hana: User, sol: User, open_space: OpenSpace) -> Space:
    """A Space of hana's for sol alone."""
    return open_space(hana, audience=Space.Audience.NAMED, invited=[sol])


def refused_invitation(space: Space, by: User, *people: User) -> Reason:
    with pytest.raises(Refused) as refused:
        space.invite(people, by=space.participants.get(user=by))
    return refused.value.reason


def test_the_host_names_further_people_while_the_space_is_live(
    private: Space, hana: User, sol: User, dee: User
) -> None:
    assert not may_enter(private, dee)
    for _ in range(2):
        private.invite([dee, sol], by=private.participants.get(user=hana))
    assert may_enter(private, dee)
    assert private.invitations.count() == 2


def test_only_the_host_names_people(private: Space, sol: User, dee: User) -> None:
    private.enter(sol)
    assert refused_invitation(private, sol, dee) == Reason.NOT_YOUR_ROLE
    assert not may_enter(private, dee)


def test_nobody_is_named_for_a_space_of_followers_or_after_the_end(
    hana: User, dee: User, open_space: OpenSpace
) -> None:
    for audience, reason in ((Space.Audience.FOLLOWERS, Reason.NOT_BY_NAME), (Space.Audience.NAMED, Reason.NOT_LIVE)):
        space = open_space(hana, audience=audience)
        if reason == Reason.NOT_LIVE:
            space.end()
        assert refused_invitation(space, hana, dee) == reason
        space.end()
    assert not Space.objects.filter(invitations__user=dee).exists()


def test_whoever_was_removed_is_not_named_again(private: Space, hana: User, sol: User, dee: User) -> None:
    person, host = private.enter(sol), private.participants.get(user=hana)
    person.remove(host)
    assert refused_invitation(private, hana, dee, sol) == Reason.WAS_REMOVED
    assert not may_enter(private, dee)


def test_nobody_is_named_when_a_space_of_followers_opens(hana: User, dee: User, open_space: OpenSpace) -> None:
    with pytest.raises(Refused, match="not_by_name"):
        open_space(hana, audience=Space.Audience.FOLLOWERS, invited=[dee])
    assert not Space.objects.filter(host=hana).exists()


def test_no_more_people_are_named_than_may_be(
    private: Space, hana: User, lior: User, dee: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "MOST_INVITED", 2)
    assert private.invite([lior, lior], by=private.participants.get(user=hana)) == 1
    assert refused_invitation(private, hana, dee) == Reason.TOO_MANY_INVITED
    assert not may_enter(private, dee)
