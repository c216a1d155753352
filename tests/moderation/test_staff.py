"""The group of the reviewers."""

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command

from accounts.models import User
from moderation import staff
from moderation.models import AuditEvent


def test_the_group_is_there_after_migrating(db: None) -> None:
    group = Group.objects.get(name=staff.REVIEWERS)
    assert set(group.permissions.values_list("codename", flat=True)) == set(staff.PERMISSIONS)


def test_a_reviewer_is_made_once(dee: User) -> None:
    staff.make_reviewer(dee)
    staff.make_reviewer(dee)
    dee = User.objects.get(pk=dee.pk)
    assert dee.is_staff
    assert dee.has_perm("moderation.decide_case")
    assert not dee.has_perm("moderation.view_auditevent")
    made = AuditEvent.objects.deeds().filter(objects_touched__person=str(dee.pk)).order_by("id")
    assert [event.verb for event in made] == ["staff_made", "group_joined"]


def test_new_staff_may_nothing(mo: User) -> None:
    assert not any(mo.has_perm(f"moderation.{name}") for name in staff.PERMISSIONS)


def test_the_command_makes_reviewers(dee: User, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("make_reviewer", "Dee")
    assert capsys.readouterr().out == "@dee may now review reports.\n"
    assert User.objects.get(pk=dee.pk).has_perm("moderation.claim_case")


def test_with_an_unknown_handle_no_one_is_made(dee: User) -> None:
    with pytest.raises(CommandError, match="No such member: unknown"):
        call_command("make_reviewer", "dee", "unknown")
    assert not User.objects.get(pk=dee.pk).is_staff
