"""Invitations: people whom a host names for a Space, and how their handles are looked up."""

from collections.abc import Iterable

from django.db import models

from accounts.models import User
from rooms.refusals import NoSuchPeople


class Invitation(models.Model):
    """A person named for a Space whose audience is named people."""

    space = models.ForeignKey("rooms.Space", models.CASCADE, related_name="invitations")
    user = models.ForeignKey(User, models.CASCADE, related_name="space_invitations")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["space", "user"], name="invitation_once")]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.space_id}"


def people_called(handles: Iterable[str], host: User) -> list[User]:
    """The people with these handles, without the host.

    All or none: a wrong handle may be that of another person. Raises NoSuchPeople with every handle that is unknown, or
    whose owner and the host have a block between them.
    """
    wanted = {handle.lower() for handle in handles} - {host.handle}
    people = list(User.objects.on_terms_with(host).filter(handle__in=wanted))
    if missing := wanted - {user.handle for user in people}:
        raise NoSuchPeople(sorted(missing))
    return people
