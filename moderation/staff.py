"""The groups of staff, which `migrate` keeps up to date, and the verb that makes a reviewer."""

from django.contrib.auth.models import Group, Permission
from django.db import transaction

from accounts.models import User

REVIEWERS = "Safety reviewers"
PERMISSIONS = ("view_case", "claim_case", "decide_case")
HOSTING = "Hosting"
HOSTING_PERMISSIONS = ("view_user", "grant_hosting")


def make_group() -> Group:
    """The group of reviewers, which has at least these permissions. Safe to repeat."""
    return _group(REVIEWERS, "moderation", PERMISSIONS)


def make_hosting_group() -> Group:
    """The group of staff who let people host. Safe to repeat."""
    return _group(HOSTING, "accounts", HOSTING_PERMISSIONS)


def _group(name: str, app: str, permissions: tuple[str, ...]) -> Group:
    group, _created = Group.objects.get_or_create(name=name)
    group.permissions.add(*Permission.objects.filter(content_type__app_label=app, codename__in=permissions))
    return group


@transaction.atomic
def make_reviewer(user: User, by: User | None = None, reason: str = "") -> None:
    """Let `user` see, claim and decide cases in the admin. Safe to repeat. Raises Refused of accounts."""
    user.make_staff(by, reason)
    user.join(make_group(), by, reason)
