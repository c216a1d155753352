"""Deeds: rights and standing of accounts change with an audit event, a reason and a permission, or not at all."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.auth.models import Group, Permission
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.utils import DatabaseError, IntegrityError
from django.utils import timezone

from accounts.models import User
from accounts.refusals import Refused
from accounts.rules import Deed, Reason
from moderation import staff
from moderation.models import AuditEvent
from tests.rig.rights import give

SECRET = "JBSWY3DPEHPK3PXP"
UNTIL = timezone.now() + timedelta(days=9)


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_superuser("root")


@contextmanager
def refused_by_the_database() -> Iterator[None]:
    with pytest.raises(IntegrityError, match="needs an audit event about the account"), transaction.atomic():
        yield


def deeds(person: User) -> list[AuditEvent]:
    return list(AuditEvent.objects.deeds().filter(objects_touched__person=str(person.pk)).order_by("id"))


# The database

RAW = {
    "suspended_until": "suspended_until = now() + interval '1 day'",
    "is_active": "is_active = false",
    "may_host": "may_host = true",
    "is_staff": "is_staff = true",
    "is_superuser": "is_superuser = true",
}


def run(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


@pytest.mark.parametrize("column", RAW)
def test_raw_sql_changes_no_right_without_a_deed(dee: User, column: str) -> None:
    before = getattr(dee, column)
    with refused_by_the_database():
        run(f"UPDATE accounts_user SET {RAW[column]} WHERE handle = 'dee'")
    with refused_by_the_database():
        User.objects.filter(pk=dee.pk).update(**{column: UNTIL if column == "suspended_until" else not before})
    dee.refresh_from_db()
    assert getattr(dee, column) == before


@pytest.mark.parametrize("column", RAW)
def test_raw_sql_takes_no_right_back_without_a_deed(transactional_db: None, column: str) -> None:
    """Lifting and withdrawing are guarded like suspending and granting. The deed of an earlier transaction is over."""
    given: dict[str, Any] = {column: {"suspended_until": UNTIL, "is_active": False}.get(column, True)}
    kim = User.objects.create_user("kim", **given)
    with refused_by_the_database():
        run("UPDATE accounts_user SET suspended_until = NULL, is_active = true, may_host = false, is_staff = false, "
            "is_superuser = false WHERE id = %s", kim.pk)  # fmt: skip


@pytest.mark.parametrize("right", [{"is_staff": True}, {"is_active": False}, {"may_host": True}])
def test_no_row_begins_with_rights_without_a_deed(db: None, right: dict[str, bool]) -> None:
    with refused_by_the_database():
        User.objects.bulk_create([User(handle="kim", **right)])
    User.objects.bulk_create([User(handle="kim")])


def test_groups_and_permissions_are_guarded(transactional_db: None) -> None:
    kim, dee = User.objects.create_user("kim"), User.objects.create_user("dee")
    group, permission = Group.objects.get(name=staff.REVIEWERS), Permission.objects.get(codename="view_user")
    with refused_by_the_database():
        kim.groups.add(group)
    with refused_by_the_database():
        kim.user_permissions.add(permission)
    kim.join(group)
    with refused_by_the_database():
        kim.groups.clear()
    with refused_by_the_database():
        run("UPDATE accounts_user_groups SET user_id = %s", dee.pk)
    with refused_by_the_database():
        group.delete()


def test_the_deed_of_another_account_is_none(dee: User, sol: User) -> None:
    with refused_by_the_database():
        AuditEvent.write(AuditEvent.Verb.HOSTING_GRANTED, None, person=sol)
        User.objects.filter(pk=dee.pk).update(may_host=True)


def test_the_deed_of_another_transaction_is_none(transactional_db: None) -> None:
    """Also if a statement writes the number of its own transaction into the event, or sets a variable."""
    kim = User.objects.create_user("kim", may_host=True)
    with refused_by_the_database():
        User.objects.filter(pk=kim.pk).update(may_host=False)
    event = deeds(kim)[0]
    assert event.transaction
    with pytest.raises(DatabaseError, match="written once"), transaction.atomic():
        run("UPDATE moderation_auditevent SET transaction = pg_current_xact_id()::text::bigint WHERE id = %s", event.pk)
    with refused_by_the_database():
        run("SELECT set_config('spaces.deed', %s, true)", str(event.pk))
        User.objects.filter(pk=kim.pk).update(may_host=False)


def test_a_deed_holds_in_savepoints_of_its_transaction(transactional_db: None) -> None:
    kim = User.objects.create_user("kim")
    with transaction.atomic():
        with transaction.atomic():
            AuditEvent.write(AuditEvent.Verb.HOSTING_GRANTED, None, person=kim)
        User.objects.filter(pk=kim.pk).update(may_host=True)
    kim.refresh_from_db()
    assert kim.may_host


def test_a_whole_row_that_was_read_earlier_writes_no_right_back(dee: User, root: User) -> None:
    """Libraries save whole rows."""
    copy = User.objects.get(pk=dee.pk)
    dee.deactivate(root, "left")
    copy.bio = "written by a library"
    copy.save()
    dee.refresh_from_db()
    assert (dee.is_active, dee.bio) == (False, "written by a library")


# The verbs


def given(person: User) -> list[Callable[..., None]]:
    """Every verb that changes rights or standing."""
    group = Group.objects.get(name=staff.REVIEWERS)
    return [
        partial(person.suspend, UNTIL),
        person.lift_suspension,
        person.deactivate,
        person.activate,
        person.grant_hosting,
        person.withdraw_hosting,
        person.make_staff,
        partial(person.join, group),
        partial(person.leave, group),
        person.make_superuser,
        person.end_superuser,
        person.end_staff,
        person.reset_second_factor,
    ]


def test_every_deed_has_a_verb_and_writes_its_event(dee: User, root: User) -> None:
    TOTP.activate(dee, SECRET)
    for verb in given(dee):
        verb(by=root, reason=" as agreed ")
    events = deeds(dee)
    assert {event.verb for event in events} == {deed.value for deed in Deed} - {Deed.ACCOUNT_MADE, Deed.CLOSED}
    assert {event.actor for event in events} == {root.pk}
    assert {event.detail.facts["reason"] for event in events} == {"as agreed"}
    assert events[0].detail.facts["until"] == UNTIL.isoformat()


def test_a_deed_that_changes_nothing_is_not_recorded(dee: User, root: User) -> None:
    for _ in range(2):
        dee.grant_hosting(root, "asked for")
    assert [event.verb for event in deeds(dee)] == [Deed.HOSTING_GRANTED]


def test_no_one_changes_their_own_rights(root: User) -> None:
    for verb in given(root):
        with pytest.raises(Refused) as refusal:
            verb(by=root, reason="mine")
        assert refusal.value.reason == Reason.DEED_ON_YOURSELF


@pytest.mark.parametrize("right", ["is_staff", "is_superuser"])
def test_staff_with_every_permission_change_no_staff(mo: User, dee: User, right: str) -> None:
    with_every_permission(mo)
    give(dee, **{right: True})
    for verb in given(dee):
        with pytest.raises(Refused) as refusal:
            verb(by=mo, reason="why not")
        assert refusal.value.reason in (Reason.HIGHER_RANK, Reason.DEED_NOT_PERMITTED)


def test_staff_with_every_permission_give_no_rights(mo: User, dee: User) -> None:
    mo = with_every_permission(mo)
    allowed = []
    for verb in given(dee):
        with suppress(Refused):
            verb(by=mo, reason="why not")
            allowed.append(getattr(verb, "func", verb).__name__)
    assert allowed == ["suspend", "lift_suspension", "grant_hosting", "withdraw_hosting"]


def test_staff_without_permissions_and_suspended_superusers_do_nothing(mo: User, dee: User, root: User) -> None:
    give(root, suspended_until=UNTIL)
    for by in (mo, root):
        for verb in given(dee):
            with pytest.raises(Refused) as refusal:
                verb(by=by, reason="why not")
            assert refusal.value.reason == Reason.DEED_NOT_PERMITTED


@pytest.mark.parametrize("reason", ["", " \n"])
def test_a_reason_is_compulsory(dee: User, root: User, reason: str) -> None:
    for verb in given(dee):
        with pytest.raises(Refused) as refusal:
            verb(by=root, reason=reason)
        assert refusal.value.reason == Reason.REASON_MISSING


def test_a_lost_second_factor_is_reset_at_the_command_line(mo: User, capsys: pytest.CaptureFixture[str]) -> None:
    TOTP.activate(mo, SECRET)
    RecoveryCodes.activate(mo)
    for _ in range(2):
        call_command("reset_second_factor", "@mo", reason="telephone stolen")
    assert capsys.readouterr().out == "@mo has no second factor now.\n" * 2
    assert not Authenticator.objects.filter(user=mo).exists()
    event = deeds(mo)[-1]
    assert (event.verb, event.actor, event.detail.facts) == (Deed.FACTOR_RESET, None, {"reason": "telephone stolen"})
    with pytest.raises(CommandError, match="No such member: unknown"):
        call_command("reset_second_factor", "unknown")


def test_a_superuser_made_at_the_command_line_is_recorded(db: None) -> None:
    call_command("createsuperuser", handle="root", interactive=False, verbosity=0)
    [event] = deeds(User.objects.get(handle="root"))
    assert (event.verb, event.actor) == (Deed.ACCOUNT_MADE, None)
    assert event.detail.facts == {"is_staff": "True", "is_superuser": "True"}


def with_every_permission(person: User) -> User:
    """`person` with each permission of each model, but no superuser."""
    with transaction.atomic():
        AuditEvent.write(AuditEvent.Verb.GROUP_JOINED, None, person=person)
        person.user_permissions.set(Permission.objects.all())
    return User.objects.get(pk=person.pk)


# Superusers are told


@pytest.fixture
def told(root: User, settings: Any) -> User:
    settings.EMAIL_HOST = "smtp.example.org"
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    EmailAddress.objects.create(user=root, email="root@example.org", verified=True, primary=True)
    return root


def test_all_superusers_are_told(told: User, dee: User, django_capture_on_commit_callbacks: Any) -> None:
    ada = User.objects.create_superuser("ada")
    EmailAddress.objects.create(user=ada, email="ada@example.org", verified=False, primary=True)
    with django_capture_on_commit_callbacks(execute=True):
        dee.make_staff(told, "joins the night shift")
    [message] = mail.outbox
    assert message.to == ["root@example.org"], "an address that was not verified gets nothing"
    assert message.subject == "Rights changed: @dee"
    assert "Rights of @dee changed: made staff, by @root." in message.body
    assert "joins the night shift" in message.body


def test_without_a_mail_server_nothing_is_sent(
    told: User, dee: User, settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    settings.EMAIL_HOST = ""
    with django_capture_on_commit_callbacks(execute=True):
        dee.make_staff(told, "joins")
    assert mail.outbox == []


def test_a_suspension_is_lifted_like_it_is_imposed(told: User, dee: User, mo: User) -> None:
    staff.make_reviewer(mo)
    mo = User.objects.get(pk=mo.pk)
    dee.suspend(UNTIL, mo, "threats")
    dee.lift_suspension(mo, "the wrong account")
    assert [(event.verb, event.actor) for event in deeds(dee)] == [
        (Deed.SUSPENDED, mo.pk),
        (Deed.SUSPENSION_LIFTED, mo.pk),
    ]
