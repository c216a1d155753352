"""Finding people, and the facts on which the rules of hosting rest."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts import signals
from accounts.models import User
from accounts.people import Relation
from tests.rig.rights import give


def handles(people: Any) -> list[str]:
    return [person.handle for person in people]


# Handles


def test_a_handle_is_lower_case_whatever_one_types(db: None) -> None:
    assert User.objects.create_user("HaNa").handle == "hana"
    assert User.objects.get(handle="HANA") == User.objects.get_by_natural_key("hAnA")
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create_user("Hana")


@pytest.mark.parametrize("handle", ["", "a", "x" * 31, "a b c", "naïve", "a-b-c"])
def test_the_database_refuses_a_bad_handle(db: None, handle: str) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        User.objects.create_user(handle)


# Search


def test_search_finds_handles_and_words_of_names(hana: User, sol: User, lior: User, dee: User) -> None:
    sol.follow(lior)
    assert handles(User.objects.search("ha")) == ["hana"]
    assert handles(User.objects.search("@HANA")) == ["hana"]
    assert handles(User.objects.search("mor")) == ["hana"]
    assert handles(User.objects.search("mori hana")) == ["hana"]
    assert handles(User.objects.search("ana")) == []
    User.objects.update(display_name="Kim Lee")
    assert handles(User.objects.search("kim"))[0] == "lior"  # the most followed first


@pytest.mark.parametrize("query", ["", "  ", "@", "!!!", "'", "a' | 'b", "x:*", "\\", "%", "()", "&", "\0", "x\0y"])
def test_search_survives_whatever_one_types(hana: User, query: str) -> None:
    assert handles(User.objects.search(query)) == []


def test_an_underscore_is_no_wildcard(hana: User) -> None:
    assert handles(User.objects.search("h_n")) == []


def test_closed_accounts_are_not_found(hana: User) -> None:
    give(hana, is_active=False)
    assert handles(User.objects.search("hana")) == []


def test_a_person_who_blocked_the_viewer_is_not_found(hana: User, dee: User) -> None:
    hana.block(dee)
    assert handles(User.objects.visible_to(dee).search("hana")) == []
    assert handles(User.objects.visible_to(hana).search("dee")) == ["dee"]


def test_suggestions_leave_out_whom_one_cannot_or_need_not_follow(
    hana: User, sol: User, lior: User, dee: User, mo: User
) -> None:
    lior.follow(hana)
    dee.follow(sol)
    hana.follow(sol)
    assert handles(User.objects.suggestions_for(lior)) == ["sol", "dee", "mo"]
    sol.block(lior)
    lior.block(mo)
    dee.suspend(timezone.now() + timedelta(days=1))
    assert handles(User.objects.suggestions_for(lior)) == []


def test_people_carry_what_they_are_to_the_viewer(hana: User, sol: User, lior: User, dee: User, mo: User) -> None:
    User.objects.filter(pk=sol.pk).update(approves_followers=True)
    hana.follow(lior)
    hana.follow(sol)
    hana.block(dee)
    relations = {person.handle: person.relation for person in User.objects.with_relation_of(hana)}
    assert relations == {
        "hana": Relation.ONESELF,
        "lior": Relation.FOLLOWING,
        "sol": Relation.REQUESTED,
        "dee": Relation.BLOCKING,
        "mo": Relation.NONE,
    }


def test_good_standing(dee: User) -> None:
    now = timezone.now()
    assert dee.in_good_standing(now)
    dee.suspended_until = now
    assert dee.in_good_standing(now)
    dee.suspended_until = now + timedelta(seconds=1)
    assert not dee.in_good_standing(now)
    dee.suspended_until, dee.is_active = None, False
    assert not dee.in_good_standing(now)


def test_suspension_is_signalled_after_commit_and_can_be_lifted(
    dee: User, tomorrow: Any, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    heard: list[User] = []

    def hear(**kwargs: Any) -> None:
        heard.append(kwargs["user"])

    signals.suspended.connect(hear)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            dee.suspend(tomorrow)
            assert heard == []
    finally:
        signals.suspended.disconnect(hear)
    assert heard == [dee]
    dee.lift_suspension()
    dee.refresh_from_db()
    assert dee.in_good_standing()


def test_a_suspension_in_the_past_is_refused(dee: User) -> None:
    with pytest.raises(ValueError, match="future"):
        dee.suspend(timezone.now())
