"""From the handles that a host writes to the people whom he may invite."""

from collections.abc import Iterable

from accounts.models import User
from rooms.refusals import NoSuchPeople


def people_called(handles: Iterable[str], host: User) -> list[User]:
    """Everybody who is named, without the host; NoSuchPeople where one is unknown, or there is a block between them.

    All or nobody: a name that is wrong may be another one's by mistake."""
    wanted = {handle.lower() for handle in handles} - {host.handle}
    people = list(User.objects.on_terms_with(host).filter(handle__in=wanted))
    if missing := wanted - {user.handle for user in people}:
        raise NoSuchPeople(sorted(missing))
    return people
