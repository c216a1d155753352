"""Members for the site that is measured, in a process with its settings: `python -m bench.rig.members COUNT`.

Prints one JSON line: the Space that was opened for them, the cookie of its host, and one cookie per member, as a log-in
sets it.
"""

import json
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "spaces_project.settings")
django.setup()

from django.conf import settings  # noqa: E402  (models need the application registry)
from django.utils import timezone  # noqa: E402

from accounts.models import Follow, User  # noqa: E402
from rooms.management.guests import guest  # noqa: E402
from rooms.models import Space  # noqa: E402


def create_members(count: int) -> list[User]:
    """Create `count` members in one query."""
    people = [User(handle=f"bench_{number}", display_name=f"Bench {number}") for number in range(count)]
    for person in people:
        person.set_unusable_password()
    return User.objects.bulk_create(people)


def main(count: int) -> None:
    host = User.objects.get(handle="hana")
    listeners = create_members(count)
    now = timezone.now()
    follows = [
        Follow(follower=person, followee=host, state=Follow.State.ACCEPTED, accepted_at=now) for person in listeners
    ]
    Follow.objects.bulk_create(follows)
    space = Space.open(host, title="Benchmark", audience=Space.Audience.FOLLOWERS)
    cookies = [guest(person, False).cookie for person in [host, *listeners]]
    print(
        json.dumps({"space": str(space.pk), "secret": settings.HLS_SECRET, "host": cookies[0], "members": cookies[1:]})
    )


if __name__ == "__main__":
    main(int(sys.argv[1]))
