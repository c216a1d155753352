"""An erased account: its row stays under an opaque id, and nothing in it says who it was."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import IntegrityError, models, transaction
from django.test import Client

from accounts.handles import STORED_PATTERN
from accounts.importing.batches import import_members
from accounts.importing.csv_rows import Row
from accounts.models import ApiToken, Block, Follow, Scope, User
from accounts.models.leaving import KEPT
from accounts.refusals import Refused
from tests.conftest import PASSWORD
from tests.rig.rights import give

LogIn = Callable[[User], Client]


def test_the_row_stays_and_is_blank(sol: User) -> None:
    give(sol, email="sol@example.org", bio="Radio", may_host=True)
    sol.refresh_from_db()
    sol.erase()
    row = User.objects.get(pk=sol.pk)
    assert re.fullmatch(r"gone_[0-9a-f]{24}", row.handle)
    assert re.match(STORED_PATTERN, row.handle)
    assert (row.display_name, row.bio, row.email, row.last_login) == ("", "", "", None)
    assert (row.is_active, row.may_host, row.is_staff, row.has_usable_password()) == (False,) * 4
    assert (row.name, row.is_gone) == ("Deleted account", True)


def test_relations_go_on_both_sides_and_counts_fall(sol: User, hana: User, lior: User, dee: User) -> None:
    sol.follow(hana)
    lior.follow(sol)
    sol.block(dee)
    User.objects.filter(pk=hana.pk).update(approves_followers=True)
    lior.follow(hana)
    sol.erase()
    hana.refresh_from_db()
    assert hana.follower_count == 0
    assert User.objects.get(pk=sol.pk).follower_count == 0
    assert [str(row.follower_id) for row in Follow.objects.all()] == [str(lior.pk)]
    assert not Block.objects.exists()


def test_tokens_addresses_and_second_factors_go(sol: User) -> None:
    sol.make_token("a program", [Scope.READ], 1)
    EmailAddress.objects.create(user=sol, email="sol@example.org")
    Authenticator.objects.create(user=sol, type=Authenticator.Type.TOTP, data={})
    sol.erase()
    assert not EmailAddress.objects.exists()
    assert not Authenticator.objects.exists()
    assert not ApiToken.objects.exists()


def test_no_row_that_belongs_to_the_person_is_left(sol: User, hana: User) -> None:
    """Everything of any app that points to a person by CASCADE is empty, but for what is kept for a reason."""
    sol.follow(hana)
    sol.make_token("a program", [Scope.READ], 1)
    sol.erase()
    owners = [
        (relation.related_model, relation.field.name)
        for relation in User._meta.get_fields(include_hidden=True)
        if isinstance(relation, models.ForeignObjectRel) and relation.on_delete is models.CASCADE
    ]
    assert len(owners) > 5
    left = {owner._meta.label for owner, name in owners if owner._base_manager.filter(**{name: sol}).exists()}
    assert left - KEPT == set()


def test_the_picture_goes_after_commit(
    sol: User, django_capture_on_commit_callbacks: Callable[..., AbstractContextManager[object]]
) -> None:
    sol.change_avatar(ContentFile(b"picture"))
    name = str(sol.avatar.name)
    with django_capture_on_commit_callbacks(execute=True):
        sol.erase()
    assert not default_storage.exists(name)
    assert User.objects.get(pk=sol.pk).avatar.name == ""


def test_a_session_of_the_person_is_over(sol: User, log_in: LogIn) -> None:
    browser = log_in(sol)
    assert browser.get("/me/profile/").status_code == 200
    User.objects.get(pk=sol.pk).erase()
    assert browser.get("/me/profile/").status_code == 302


def test_a_suspended_member_may_leave_and_stays_suspended(sol: User, tomorrow: datetime) -> None:
    sol.suspend(tomorrow)
    sol.erase()
    assert User.objects.get(pk=sol.pk).suspended_until == tomorrow


def test_erasing_is_safe_to_repeat(sol: User) -> None:
    sol.erase()
    handle = sol.handle
    sol.erase()
    User.objects.get(pk=sol.pk).erase()
    assert User.objects.get(pk=sol.pk).handle == handle


def test_the_last_superuser_stays(hana: User, mo: User) -> None:
    for person in (hana, mo):
        give(person, is_superuser=True)
    hana.erase()
    with pytest.raises(Refused, match="last_superuser"):
        mo.erase()
    assert User.objects.get(pk=mo.pk).handle == "mo"


def test_the_log_of_the_admin_no_longer_names_the_person(sol: User, mo: User) -> None:
    kind = ContentType.objects.get_for_model(User)
    entry = LogEntry.objects.create(
        user=mo, content_type=kind, object_id=str(sol.pk), object_repr="@sol", action_flag=2, change_message=""
    )
    sol.erase()
    entry.refresh_from_db()
    assert entry.object_repr == f"@{sol.handle}"
    mo.erase()
    assert LogEntry.objects.get().user_id == mo.pk


def test_no_one_signs_up_with_the_handle(sol: User, client: Client) -> None:
    sol.erase()
    form = {"username": "SOL", "password1": PASSWORD, "password2": PASSWORD}
    answer = client.post("/accounts/signup/", form)
    assert "This handle is taken" in answer.content.decode()
    assert not User.objects.filter(handle="sol").exists()


def test_no_import_brings_the_handle_back(sol: User) -> None:
    sol.erase()
    result, faults = import_members([Row(2, {"handle": "@Sol"}), Row(3, {"handle": "ada"})])
    assert (result.added, result.faults) == (1, 1)
    assert faults[0][0] == 2
    assert "erased" in faults[0][1]


def test_no_form_makes_an_account_with_the_handle(sol: User) -> None:
    sol.erase()
    with pytest.raises(ValidationError, match="taken"):
        User(handle="sol", password="x").full_clean()


def test_the_database_refuses_the_handle_by_any_other_way(sol: User, dee: User) -> None:
    sol.erase()
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create_user("sol", PASSWORD)
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=dee.pk).update(handle="sol")


def test_no_one_follows_an_erased_account(sol: User, dee: User) -> None:
    before = User.objects.get(pk=sol.pk)
    sol.erase()
    with pytest.raises(Refused, match="person_unavailable"):
        dee.follow(before)
