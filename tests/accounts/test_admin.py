"""People in the admin: grant, lift a suspension, and what staff cannot do there."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from accounts import signals
from accounts.models import User

LogIn = Callable[[User], Client]
LIST = "/admin/accounts/user/"


@pytest.fixture
def desk(log_in: LogIn, mo: User) -> Client:
    """mo's browser; mo may see and change people."""
    rights = ["view_user", "change_user", "add_user", "delete_user"]
    mo.user_permissions.add(*Permission.objects.filter(codename__in=rights))
    return log_in(mo)


def change(browser: Client, person: User, **fields: str) -> int:
    """Post the form of `person` as it stands, with `fields` changed; an empty value leaves a box unticked."""
    person.refresh_from_db()
    form = {"display_name": person.display_name, "bio": person.bio, "email": person.email}
    form |= {name: "on" for name in ("is_active", "may_host", "approves_followers") if getattr(person, name)}
    answer = browser.post(f"{LIST}{person.pk}/change/", {name: text for name, text in (form | fields).items() if text})
    return answer.status_code


def test_the_admin_is_entered_through_our_log_in(client: Client, db: None) -> None:
    answer = client.get("/admin/login/?next=/admin/", follow=True)
    assert answer.redirect_chain[-1][0].startswith("/accounts/login/")


def test_members_do_not_enter_the_admin(log_in: LogIn, dee: User) -> None:
    assert log_in(dee).get(LIST, follow=True).status_code == 403


def test_staff_without_the_right_see_no_one(log_in: LogIn, mo: User) -> None:
    assert log_in(mo).get(LIST).status_code == 403


def test_staff_find_people(desk: Client, hana: User, dee: User) -> None:
    page = desk.get(LIST, {"q": "mori"}).content.decode()
    assert "Hana Mori" in page
    assert "Dee Wong" not in page


def test_staff_grant_the_right_to_host(desk: Client, dee: User) -> None:
    assert change(desk, dee, may_host="on") == 302
    dee.refresh_from_db()
    assert dee.followers_missing() == 0


@pytest.fixture
def host_desk(log_in: LogIn, mo: User) -> Client:
    """mo's browser, with the rights that the demonstration gives to let people host."""
    mo.user_permissions.add(*Permission.objects.filter(codename__in=["view_user", "grant_hosting"]))
    return log_in(mo)


def test_staff_with_the_right_grant_hosting_and_withdraw_it(host_desk: Client, dee: User) -> None:
    host_desk.post(LIST, {"action": "grant_hosting", "_selected_action": [str(dee.pk)]})
    dee.refresh_from_db()
    assert dee.followers_missing() == 0
    host_desk.post(LIST, {"action": "take_hosting_back", "_selected_action": [str(dee.pk)]})
    dee.refresh_from_db()
    assert dee.followers_missing() > 0
    assert change(host_desk, dee, bio="mine now") == 403


def test_staff_who_may_only_look_grant_nothing(log_in: LogIn, mo: User, dee: User) -> None:
    mo.user_permissions.add(Permission.objects.get(codename="view_user"))
    log_in(mo).post(LIST, {"action": "grant_hosting", "_selected_action": [str(dee.pk)]})
    dee.refresh_from_db()
    assert not dee.may_host


def test_a_form_opened_earlier_writes_only_what_was_changed(desk: Client, dee: User, lior: User) -> None:
    lior.follow(dee)
    assert change(desk, dee, bio="seen by staff", follower_count="7", suspended_until="2099-01-01") == 302
    dee.refresh_from_db()
    assert (dee.bio, dee.follower_count, dee.suspended_until) == ("seen by staff", 1, None)


def test_a_handle_stays_as_it_is(desk: Client, dee: User) -> None:
    change(desk, dee, handle="hana")
    dee.refresh_from_db()
    assert dee.handle == "dee"


def test_staff_hand_out_no_rights(desk: Client, dee: User) -> None:
    change(desk, dee, is_staff="on", is_superuser="on")
    dee.refresh_from_db()
    assert not dee.is_staff
    assert not dee.is_superuser


def test_staff_lock_no_one_out(desk: Client, dee: User) -> None:
    assert change(desk, dee, is_active="", bio="seen by staff") == 302
    dee.refresh_from_db()
    assert (dee.is_active, dee.bio) == (True, "seen by staff")


def test_a_superuser_locks_members_out_and_the_apps_above_get_the_signal(
    desk: Client, mo: User, dee: User, django_capture_on_commit_callbacks: Any
) -> None:
    User.objects.filter(pk=mo.pk).update(is_superuser=True)
    sent: list[tuple[str, User]] = []
    for signal, name in ((signals.suspended, "out"), (signals.suspension_lifted, "in")):
        signal.connect(
            partial(lambda name, user, **_: sent.append((name, user)), name), weak=False, dispatch_uid="test"
        )
    try:
        for value, active in (("", False), ("on", True), ("on", True)):
            with django_capture_on_commit_callbacks(execute=True):
                assert change(desk, dee, is_active=value) == 302
            dee.refresh_from_db()
            assert dee.is_active is active
    finally:
        signals.suspended.disconnect(dispatch_uid="test")
        signals.suspension_lifted.disconnect(dispatch_uid="test")
    assert sent == [("out", dee), ("in", dee)], "and not when nothing was changed"


def test_staff_do_not_change_staff(desk: Client, mo: User) -> None:
    assert change(desk, mo, is_superuser="on") == 403


@pytest.mark.parametrize("superuser", [False, True])
def test_no_one_is_deleted_here(desk: Client, mo: User, dee: User, superuser: bool) -> None:
    User.objects.filter(pk=mo.pk).update(is_superuser=superuser)
    assert desk.post(f"{LIST}{dee.pk}/delete/", {"post": "yes"}).status_code == 403
    assert "delete_selected" not in desk.get(LIST).content.decode()
    assert User.objects.filter(pk=dee.pk).exists()


def test_suspending_is_for_cases_alone_and_lifting_is_here(desk: Client, dee: User, tomorrow: datetime) -> None:
    chosen = {"action": "suspend", "_selected_action": [str(dee.pk)], "days": "7"}
    desk.post(LIST, chosen)
    dee.refresh_from_db()
    assert not dee.is_suspended()
    dee.suspend(tomorrow)
    desk.post(LIST, chosen | {"action": "lift_suspension"})
    dee.refresh_from_db()
    assert not dee.is_suspended()


def test_the_filter_of_the_suspended(desk: Client, hana: User, dee: User, tomorrow: datetime) -> None:
    dee.suspend(tomorrow)
    assert "Dee Wong" in desk.get(LIST, {"suspended": "yes"}).content.decode()
    assert "Dee Wong" not in desk.get(LIST, {"suspended": "no"}).content.decode()


def test_staff_can_make_an_account(desk: Client) -> None:
    form = {"handle": "Kim", "display_name": "Kim", "usable_password": "true", "password1": "long enough secret"}
    desk.post(f"{LIST}add/", form | {"password2": "long enough secret"})
    assert User.objects.get(handle="kim").check_password("long enough secret")


@pytest.mark.parametrize("kind", ["follow", "block"])
def test_follows_and_blocks_are_there_to_look_at(log_in: LogIn, mo: User, hana: User, lior: User, kind: str) -> None:
    User.objects.filter(pk=mo.pk).update(is_superuser=True)
    lior.follow(hana)
    browser = log_in(User.objects.get(pk=mo.pk))
    assert browser.get(f"/admin/accounts/{kind}/").status_code == 200
    assert browser.get(f"/admin/accounts/{kind}/add/").status_code == 403
    if kind == "follow":
        row = lior.following_rows.get()
        assert browser.get(f"/admin/accounts/follow/{row.pk}/change/").status_code == 200
        assert browser.post(f"/admin/accounts/follow/{row.pk}/delete/", {"post": "yes"}).status_code == 403
