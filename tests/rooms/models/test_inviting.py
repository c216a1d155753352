"""Naming people for a Space: by whom, when, and how many."""

from collections.abc import Callable

import pytest

from accounts.models import User
from rooms import rules
from rooms.models import Space
from rooms.refusals import Refused
from rooms.rules import Reason
from tests.rig.spaces import may_enter

OpenSpace = Callable[..., Space]
pytestmark = pytest.mark.django_db


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


def test_no_one_is_named_for_a_space_of_followers_or_after_the_end(
    hana: User, dee: User, open_space: OpenSpace
) -> None:
    for audience, reason in ((Space.Audience.FOLLOWERS, Reason.NOT_BY_NAME), (Space.Audience.NAMED, Reason.NOT_LIVE)):
        space = open_space(hana, audience=audience)
        if reason == Reason.NOT_LIVE:
            space.end()
        assert refused_invitation(space, hana, dee) == reason
        space.end()
    assert not Space.objects.filter(invitations__user=dee).exists()


def test_a_removed_person_is_not_named_again(private: Space, hana: User, sol: User, dee: User) -> None:
    person, host = private.enter(sol), private.participants.get(user=hana)
    person.remove(host)
    assert refused_invitation(private, hana, dee, sol) == Reason.WAS_REMOVED
    assert not may_enter(private, dee)


def test_no_one_is_named_when_a_space_of_followers_opens(hana: User, dee: User, open_space: OpenSpace) -> None:
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
