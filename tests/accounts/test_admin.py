"""People in the admin: find them, do deeds with a reason, and what staff cannot do there."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.test import Client

from accounts import signals
from accounts.models import Closing, User
from accounts.rules import DEED_PERMISSIONS
from accounts.staff.deeds import ACTIONS
from moderation.models import AuditEvent
from tests.conftest import PASSWORD
from tests.rig.rights import give

LogIn = Callable[[User], Client]
LIST = "/admin/accounts/user/"
MENU = ["view_user", "change_user", "add_user", "delete_user"]


def permit(person: User, *codenames: str) -> User:
    """Give permissions; without any named, each permission of each model."""
    found = Permission.objects.filter(codename__in=codenames) if codenames else Permission.objects.all()
    with transaction.atomic():
        AuditEvent.write(AuditEvent.Verb.GROUP_JOINED, None, person=person)
        person.user_permissions.add(*found)
    return User.objects.get(pk=person.pk)


@pytest.fixture
def desk(log_in: LogIn, mo: User) -> Client:
    """mo's browser; mo may see and change people."""
    return log_in(permit(mo, *MENU))


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_superuser("root")


def change(browser: Client, person: User, **fields: str) -> int:
    """Post the form of `person` as it stands, with `fields` changed."""
    person.refresh_from_db()
    form = {"display_name": person.display_name, "bio": person.bio} | fields
    return browser.post(f"{LIST}{person.pk}/change/", form).status_code


def act(browser: Client, name: str, person: User, **given: Any) -> Any:
    """Do the action `name`; with `reason`, its page is sent as well."""
    return browser.post(LIST, {"action": name, "_selected_action": [str(person.pk)]} | given, follow=True)


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


def test_the_filter_of_the_suspended(desk: Client, hana: User, dee: User, tomorrow: datetime) -> None:
    dee.suspend(tomorrow)
    assert "Dee Wong" in desk.get(LIST, {"suspended": "yes"}).content.decode()
    assert "Dee Wong" not in desk.get(LIST, {"suspended": "no"}).content.decode()


# The form


def test_a_form_opened_earlier_writes_only_what_was_changed(desk: Client, dee: User, lior: User) -> None:
    lior.follow(dee)
    assert change(desk, dee, bio="seen by staff", follower_count="7", suspended_until="2099-01-01") == 302
    dee.refresh_from_db()
    assert (dee.bio, dee.follower_count, dee.suspended_until) == ("seen by staff", 1, None)


@pytest.mark.parametrize("superuser", [False, True])
def test_the_form_writes_neither_rights_nor_what_one_logs_in_with(
    log_in: LogIn, mo: User, dee: User, superuser: bool
) -> None:
    give(mo, is_superuser=superuser)
    browser = log_in(permit(mo))
    group = Group.objects.latest("pk")
    smuggled = dict.fromkeys(("is_staff", "is_superuser", "may_host", "approves_followers"), "on")
    smuggled |= {"is_active": "", "handle": "hana", "email": "mo@example.org", "password": "x", "groups": str(group.pk)}
    before = User.objects.filter(pk=dee.pk).values().get()
    assert change(browser, dee, **smuggled) == 302
    assert User.objects.filter(pk=dee.pk).values().get() == before
    assert not dee.groups.exists()


def test_staff_set_no_password_of_others(log_in: LogIn, root: User, dee: User) -> None:
    browser = log_in(root)
    new = {"usable_password": "true", "password1": "long enough secret", "password2": "long enough secret"}
    assert browser.post(f"{LIST}{dee.pk}/password/", new).status_code in (302, 404)
    dee.refresh_from_db()
    assert dee.check_password(PASSWORD)
    assert "password" not in browser.get(f"{LIST}{dee.pk}/change/").content.decode().split("<form", 2)[-1]


def test_staff_do_not_change_staff(desk: Client, mo: User) -> None:
    assert change(desk, mo, bio="mine") == 403


@pytest.mark.parametrize("superuser", [False, True])
def test_no_one_is_deleted_here(desk: Client, mo: User, dee: User, superuser: bool) -> None:
    give(mo, is_superuser=superuser)
    assert desk.post(f"{LIST}{dee.pk}/delete/", {"post": "yes"}).status_code == 403
    assert "delete_selected" not in desk.get(LIST).content.decode()
    assert User.objects.filter(pk=dee.pk).exists()


def test_staff_can_make_an_account(desk: Client) -> None:
    form = {"handle": "Kim", "display_name": "Kim", "usable_password": "true", "password1": "long enough secret"}
    desk.post(f"{LIST}add/", form | {"password2": "long enough secret"})
    assert User.objects.get(handle="kim").check_password("long enough secret")


# Deeds


def test_a_page_asks_for_the_reason(log_in: LogIn, mo: User, dee: User) -> None:
    browser = log_in(permit(mo, "view_user", "grant_hosting"))
    page = act(browser, "grant_hosting", dee)
    assert "Let them host without enough followers" in page.content.decode()
    assert "Dee Wong" in page.content.decode()
    for reason in ("", "  "):
        assert "This field is required" in act(browser, "grant_hosting", dee, reason=reason).content.decode()
    dee.refresh_from_db()
    assert not dee.may_host
    answer = act(browser, "grant_hosting", dee, reason="runs the reading circle")
    assert "Done for 1 account." in answer.content.decode()
    dee.refresh_from_db()
    assert dee.may_host
    event = AuditEvent.objects.deeds().latest("id")
    assert (event.verb, event.actor, event.detail.facts) == (
        "hosting_granted",
        mo.pk,
        {"reason": "runs the reading circle"},
    )


def test_every_action_has_its_verb(log_in: LogIn, root: User, dee: User, tomorrow: datetime) -> None:
    browser = log_in(root)
    dee.suspend(tomorrow)
    TOTP.activate(dee, "JBSWY3DPEHPK3PXP")
    group = Group.objects.get(name="Safety reviewers")
    for name, action in ACTIONS.items():
        answer = act(browser, name, dee, reason="as agreed", **({"group": group.pk} if action.about_group else {}))
        assert "Done for 1 account." in answer.content.decode(), name
    events = AuditEvent.objects.deeds().filter(objects_touched__person=str(dee.pk), actor=root.pk).order_by("id")
    assert [event.verb for event in events] == [action.deed.value for action in ACTIONS.values()]


@pytest.mark.parametrize("name", ACTIONS)
def test_no_one_does_a_deed_to_themselves(log_in: LogIn, root: User, name: str) -> None:
    before = User.objects.filter(pk=root.pk).values().get()
    group = Group.objects.latest("pk")
    answer = act(log_in(root), name, root, reason="mine", group=group.pk)
    assert "You cannot change your own rights" in answer.content.decode()
    after = User.objects.filter(pk=root.pk).values().get()
    assert before | {"last_login": None} == after | {"last_login": None}
    assert not root.groups.exists()


def test_staff_with_every_permission_of_every_model_get_no_further(
    log_in: LogIn, mo: User, dee: User, root: User, tomorrow: datetime
) -> None:
    """They lift no suspension of their own or of staff, read no secret, and act as no other person."""
    mo = permit(mo)
    browser = log_in(mo)
    for person in (mo, root):
        for name in ACTIONS:
            act(browser, name, person, reason="why not")
        assert browser.post(f"{LIST}{person.pk}/password/", {"password1": "x"}).status_code in (302, 404)
    for person in (mo, root):
        person.refresh_from_db()
        assert not AuditEvent.objects.filter(objects_touched__person=str(person.pk), actor=mo.pk).exists()
    for page in ("authtoken/tokenproxy", "mfa/authenticator", "account/emailaddress", "auth/group", "auth/permission"):
        assert browser.get(f"/admin/{page}/").status_code == 404
    text = browser.get(f"{LIST}{dee.pk}/change/").content.decode()
    assert dee.password not in text
    mo.suspend(tomorrow)
    assert act(browser, "lift_suspension", mo, reason="mine").status_code == 403
    mo.refresh_from_db()
    assert mo.is_suspended()


def test_staff_are_offered_what_they_may_do(log_in: LogIn, mo: User, dee: User) -> None:
    for permissions, offered in (
        ([], set()),
        (["grant_hosting"], {"grant_hosting", "withdraw_hosting"}),
        (["decide_case"], {"grant_hosting", "withdraw_hosting", "lift_suspension"}),
    ):
        page = log_in(permit(mo, "view_user", *permissions)).get(LIST).content.decode()
        assert {name for name in ACTIONS if f'value="{name}"' in page} == offered
    assert set(DEED_PERMISSIONS.values()) == {"accounts.grant_hosting", "moderation.decide_case"}


def test_what_is_not_offered_is_not_done(log_in: LogIn, mo: User, dee: User) -> None:
    browser = log_in(permit(mo, "view_user", "change_user"))
    for name in ACTIONS:
        act(browser, name, dee, reason="why not")
    act(browser, "suspend", dee, days="7")  # suspending is for cases
    assert not AuditEvent.objects.deeds().filter(objects_touched__person=str(dee.pk)).exists()


def test_a_superuser_locks_members_out_and_the_apps_above_get_the_signal(
    log_in: LogIn, root: User, dee: User, django_capture_on_commit_callbacks: Any
) -> None:
    browser = log_in(root)
    sent: list[tuple[str, User]] = []
    for signal, name in ((signals.suspended, "out"), (signals.suspension_lifted, "in")):
        signal.connect(
            partial(lambda name, user, **_: sent.append((name, user)), name), weak=False, dispatch_uid="test"
        )
    try:
        for name, active in (("deactivate", False), ("activate", True)):
            with django_capture_on_commit_callbacks(execute=True):
                act(browser, name, dee, reason="hacked")
            dee.refresh_from_db()
            assert dee.is_active is active
    finally:
        signals.suspended.disconnect(dispatch_uid="test")
        signals.suspension_lifted.disconnect(dispatch_uid="test")
    assert sent == [("out", dee), ("in", dee)]


def test_the_newest_deeds_are_on_the_first_page_of_superusers(log_in: LogIn, root: User, mo: User, dee: User) -> None:
    dee.grant_hosting(root, "runs the reading circle")
    page = log_in(root).get("/admin/").content.decode()
    assert "@dee" in page
    assert "may host" in page
    assert "runs the reading circle" in page
    event = AuditEvent.objects.deeds().latest("id")
    shown = log_in(root).get(f"/admin/moderation/auditevent/{event.pk}/change/").content.decode()
    assert "reason: runs the reading circle" in shown
    assert "runs the reading circle" not in log_in(mo).get("/admin/").content.decode()


@pytest.mark.parametrize("kind", ["follow", "block"])
def test_follows_and_blocks_are_there_to_look_at(log_in: LogIn, root: User, hana: User, lior: User, kind: str) -> None:
    lior.follow(hana)
    browser = log_in(root)
    assert browser.get(f"/admin/accounts/{kind}/").status_code == 200
    assert browser.get(f"/admin/accounts/{kind}/add/").status_code == 403
    if kind == "follow":
        row = lior.following_rows.get()
        assert browser.get(f"/admin/accounts/follow/{row.pk}/change/").status_code == 200
        assert browser.post(f"/admin/accounts/follow/{row.pk}/delete/", {"post": "yes"}).status_code == 403


def test_a_superuser_closes_an_account_with_a_reason(root: User, sol: User, log_in: LogIn) -> None:
    act(log_in(root), "close", sol, reason="Asked by email.")
    closing = Closing.objects.get(user=sol)
    assert closing.may_return
    assert not User.objects.get(pk=sol.pk).is_active


def test_no_one_closes_their_own_account_in_the_admin(root: User, log_in: LogIn) -> None:
    """The page in the settings asks for the password."""
    User.objects.create_superuser("ada")
    answer = act(log_in(root), "close", root, reason="I want to go.")
    assert "your own rights" in answer.content.decode()
    assert User.objects.get(pk=root.pk).is_active
