"""Handles and names that look like those of staff, hosts or the service are refused; others are not."""

from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from pytest_django import Settings

from accounts.forms import ProfileForm
from accounts.importing.batches import import_members
from accounts.importing.csv_rows import Row
from accounts.models import User
from accounts.names.lookalikes import skeleton
from accounts.names.protection import refuse_borrowed_name, refuse_imitation
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("hana", "h_a_n_a"),
        ("lior", "1ior"),
        ("lior", "ljor".replace("j", "i")),
        ("sol", "s0l"),
        ("mo", "rno"),
        ("wen", "vven"),
        ("nora", "n0ra_"),
        ("Hana Mori", "hana\u200bmori".replace("\u200b", "")),
        ("Hana", "H\u0430n\u0430"),  # Cyrillic a
        ("Nora", "N\u03bfra"),  # Greek o
        ("Jos\u00e9", "JOSE"),
        ("\uff28ana", "hana"),  # full width
    ],
)
def test_look_alikes_have_one_skeleton(one: str, other: str) -> None:
    assert skeleton(one) == skeleton(other)


@pytest.mark.parametrize(("one", "other"), [("hana", "hanna"), ("sol", "soul"), ("nora", "dora"), ("mo", "no")])
def test_others_have_not(one: str, other: str) -> None:
    assert skeleton(one) != skeleton(other)


@pytest.mark.parametrize("handle", ["h_ana", "hana_", "hana__", "rn0_"])
def test_a_handle_that_looks_like_that_of_staff_or_a_host_is_refused(hana: User, mo: User, handle: str) -> None:
    with pytest.raises(ValidationError, match="looks like that of another person"):
        refuse_imitation(handle)


def test_a_handle_that_looks_like_that_of_a_listener_is_not(lior: User, settings: Settings) -> None:
    refuse_imitation("1ior")
    settings.SPACES_MIN_FOLLOWERS = 3
    User.objects.filter(pk=lior.pk).update(follower_count=3)
    with pytest.raises(ValidationError):
        refuse_imitation("1ior")


@pytest.mark.parametrize(
    "handle",
    ["spaces_support", "admin1", "the_adm1n", "safety_berlin", "support_hana", "5paces", "m0derator", "s_a_staff"],
)
def test_a_handle_with_a_word_of_the_service_is_refused(handle: str) -> None:
    with pytest.raises(ValidationError, match="reserved"):
        refuse_imitation(handle)


@pytest.mark.parametrize("handle", ["spaceship", "teammate", "stafford", "helper", "badminton", "supportive_hana"])
def test_a_handle_with_longer_words_is_not(handle: str) -> None:
    refuse_imitation(handle)


@pytest.mark.parametrize(
    "name", ["Spaces Support", "Admin", "\u0410dmin", "Safety Team", "The Official Spaces", "SPACES"]
)
def test_a_name_that_stands_for_the_service_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="run this site"):
        refuse_borrowed_name(name)


@pytest.mark.parametrize("name", ["Support group Berlin", "Team Hana", "Open Spaces Choir", "Hana Mori", "", "林"])
def test_other_names_are_taken(hana: User, mo: User, name: str) -> None:
    refuse_borrowed_name(name)


def test_the_name_of_a_member_of_staff_is_theirs(mo: User, dee: User) -> None:
    User.objects.filter(pk=mo.pk).update(display_name="Mo Ali")
    with pytest.raises(ValidationError, match="member of staff"):
        refuse_borrowed_name("M\u043e \u0410li", dee)
    refuse_borrowed_name("Mo Ali", User.objects.get(pk=mo.pk))


def test_a_sign_up_and_an_import_obey(hana: User, client: Client) -> None:
    form = {"username": "hana_", "password1": PASSWORD, "password2": PASSWORD}
    assert "looks like that of another person" in client.post("/accounts/signup/", form).content.decode()
    result, faults = import_members([Row(2, {"handle": "hana_"}), Row(3, {"handle": "kim_1", "display_name": "Admin"})])
    assert result.added == 0
    assert [line for line, _ in faults] == [2, 3]


def test_a_profile_keeps_the_name_it_has_and_borrows_none(dee: User) -> None:
    User.objects.filter(pk=dee.pk).update(display_name="Spaces Support")
    dee.refresh_from_db()
    assert ProfileForm({"display_name": "Spaces Support", "bio": ""}, instance=dee).is_valid()
    assert not ProfileForm({"display_name": "Spaces Admin", "bio": ""}, instance=dee).is_valid()


def test_only_staff_carry_the_badge(mo: User, hana: User, lior: User, log_in: Callable[[User], Client]) -> None:
    browser = log_in(lior)
    assert '<span class="badge">Team</span>' in browser.get("/people/mo/").content.decode()
    assert '<span class="badge">Team</span>' not in browser.get("/people/hana/").content.decode()
    assert '<span class="badge">Team</span>' in browser.get("/search/?q=mo").content.decode()
