"""The group of staff who may review, which `migrate` keeps up to date, and the verb that adds a member."""

from django.contrib.auth.models import Group, Permission
from django.db import transaction

from accounts.models import User
from moderation.models import AuditEvent

REVIEWERS = "Safety reviewers"
PERMISSIONS = ("view_case", "claim_case", "decide_case")


def make_group() -> Group:
    """The group of reviewers, which has at least these permissions. Safe to repeat."""
    group, _created = Group.objects.get_or_create(name=REVIEWERS)
    group.permissions.add(*Permission.objects.filter(content_type__app_label="moderation", codename__in=PERMISSIONS))
    return group


@transaction.atomic
def make_reviewer(user: User, by: User | None = None) -> None:
    """Let `user` see, claim and decide cases in the admin. Safe to repeat."""
    group = make_group()
    if user.is_staff and user.groups.filter(pk=group.pk).exists():
        return
    user.make_staff()
    user.groups.add(group)
    AuditEvent.write(AuditEvent.Verb.REVIEWER_MADE, by, person=user)
