"""Who counts as a follower who lets someone host: people in good standing, old enough, who have shown to be people."""

from datetime import datetime, timedelta
from unittest.mock import patch

import pytest
from allauth.account.models import EmailAddress
from allauth.account.signals import email_confirmed
from django.test import Client
from django.utils import timezone

from accounts import budgets
from accounts.models import Follow, User
from tests.conftest import PASSWORD
from tests.rig.crowd import crowd

pytestmark = pytest.mark.django_db(transaction=True)
NEEDED = 600


def old(days: int) -> datetime:
    return timezone.now() - timedelta(days=days)


def test_six_hundred_accounts_of_one_hour_open_no_gate(dee: User) -> None:
    crowd(dee)
    assert dee.followers_missing() == NEEDED
    User.objects.filter(handle__startswith="person_").prove(timezone.now())  # all confirm an address
    assert dee.followers_missing() == NEEDED
    with patch("accounts.models.user.timezone.now", return_value=timezone.now() + timedelta(days=7)):
        assert dee.followers_missing() == 0


def test_old_accounts_that_have_shown_nothing_do_not_count(dee: User) -> None:
    crowd(dee, 3, date_joined=old(400))
    assert dee.followers_that_count() == 0
    assert User.objects.filter(handle__startswith="person_").prove(timezone.now()) == 3
    assert dee.followers_that_count() == 3
    assert User.objects.filter(handle__startswith="person_").prove(timezone.now()) == 0


def test_the_count_falls_when_followers_are_locked_suspended_or_erased(dee: User) -> None:
    people = crowd(dee, counts_from=old(1))
    assert dee.followers_missing() == 0
    people[0].deactivate()
    people[1].suspend(timezone.now() + timedelta(days=1))
    people[2].erase()
    assert dee.followers_missing() == 3
    people[0].activate()
    people[1].lift_suspension()
    assert dee.followers_missing() == 1


def test_a_request_to_follow_does_not_count(dee: User) -> None:
    crowd(dee, 2, counts_from=old(1))
    Follow.objects.filter(followee=dee).update(state="requested", accepted_at=None)
    assert dee.followers_that_count() == 0


def test_a_grant_stands_for_followers(dee: User) -> None:
    dee.may_host = True
    assert dee.followers_missing() == 0


@pytest.mark.parametrize(("needed", "missing"), [(0, 0), (3, 1), (2, 0)])
def test_operators_set_how_many_are_needed(dee: User, settings: object, needed: int, missing: int) -> None:
    crowd(dee, 2, counts_from=old(1))
    settings.SPACES_MIN_FOLLOWERS = needed  # type: ignore[attr-defined]
    assert dee.followers_missing() == missing


def test_a_confirmed_address_counts(sol: User) -> None:
    User.objects.filter(pk=sol.pk).update(date_joined=old(10))
    address = EmailAddress.objects.create(user=sol, email="sol@example.org", verified=True, primary=True)
    before = timezone.now()
    email_confirmed.send(EmailAddress, request=None, email_address=address)
    sol.refresh_from_db()
    assert sol.counts_from is not None
    assert sol.counts_from >= before


def test_bots_from_one_address_get_few_accounts_and_no_gate(dee: User) -> None:
    """600 sign-ups within an hour, each followed by a follow."""
    budgets._script().registered_client.flushdb()
    noon = 1_800_000_000.0
    for number in range(600):
        browser = Client(REMOTE_ADDR="203.0.113.77")
        with patch("accounts.budgets.time.time", return_value=noon + number * 6):
            form = {"username": f"bot_{number}", "password1": PASSWORD, "password2": PASSWORD}
            if browser.post("/accounts/signup/", form).status_code == 302:
                browser.post("/people/dee/follow/")
    budgets._script().registered_client.flushdb()
    dee.refresh_from_db()
    assert 0 < dee.follower_count <= 60
    assert dee.followers_missing() == NEEDED
