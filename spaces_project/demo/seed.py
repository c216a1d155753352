"""Make the members of the demonstration, their pictures, and who follows whom. Safe to repeat."""

import itertools
from contextlib import suppress

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from accounts.importing.batches import import_follows
from accounts.importing.csv_rows import Row
from accounts.models import User
from accounts.refusals import Refused
from moderation.staff import make_hosting_group, make_reviewer
from spaces_project.demo.people import CAST, MEMBERS, Member
from spaces_project.demo.pictures import picture

# The crowd: members who only follow others, so that these may host. Every first name with every last one.
FIRST = (
    "Ada Amir Anna Ben Carla Chidi Clara David Elif Emma Farid Finn Greta Hugo Ines Ivan "
    "Jana Jonas Kofi Lea Leon Lin Maya Mila Nadia Noah Olga Pavel Rosa Sami Tara Yusuf"
)
LAST = (
    "Adeyemi Bauer Costa Demir Fischer Haddad Ito Jansen Kowalski Larsen "
    "Moreau Nowak Okafor Petrov Ricci Silva Tanaka Vogel Weber Yilmaz"
)
STRIDE = 37  # of the crowd, from one member's first follower to the next one's


@transaction.atomic
def seed() -> None:
    """Make the members of a demonstration with their pictures and follows. The bots open its Spaces. Safe to repeat."""
    people = _people()
    for member in MEMBERS:
        _dress(people[member.handle], member)
    _crowd()
    for member in MEMBERS:
        for other in member.follows:
            with suppress(Refused):  # suspended, or blocked: that a demonstration goes on does not undo it
                people[member.handle].follow(people[other])
    make_reviewer(people["mo"])
    people["mo"].join(make_hosting_group())


def _people() -> dict[str, User]:
    """The accounts, with this demonstration's password for those whom a person may be; one hash for all of them."""
    people = {user.handle: user for user in User.objects.filter(handle__in=[member.handle for member in MEMBERS])}
    for member in MEMBERS:
        if member.handle not in people:
            people[member.handle] = User.objects.create_user(member.handle, display_name=member.name)
    cast = [member.handle for member in CAST]
    if not people[cast[0]].check_password(settings.DEMO_PASSWORD):  # hashing is slow
        User.objects.filter(handle__in=cast).update(password=make_password(settings.DEMO_PASSWORD))
    return people


def _dress(user: User, member: Member) -> None:
    """Bio and picture, if there is neither yet. A picture whose file is gone is drawn again."""
    is_lost = bool(user.avatar) and not user.avatar.storage.exists(str(user.avatar.name))
    if not user.bio and not user.avatar:
        user.bio = member.bio
        user.save(update_fields=["bio"])
        user.change_avatar(picture(member.look))
    elif is_lost:
        user.change_avatar(picture(member.look))


def _crowd() -> None:
    """Followers by the hundred, without a password. Who was blocked meanwhile does not follow again."""
    names = {
        f"{first}_{last}".lower(): f"{first} {last}" for first, last in itertools.product(FIRST.split(), LAST.split())
    }
    unusable = make_password(None)
    User.objects.bulk_create(
        [User(handle=handle, display_name=name, password=unusable) for handle, name in names.items()],
        ignore_conflicts=True,
    )
    User.objects.filter(counts_from=None).update(counts_from=timezone.now())  # the demonstration has no past
    follows = [pair for number, member in enumerate(MEMBERS) for pair in _followers(member, number, sorted(names))]
    import_follows([Row(line, {"follower": one, "followee": other}) for line, (one, other) in enumerate(follows, 1)])


def _followers(member: Member, number: int, crowd: list[str]) -> list[tuple[str, str]]:
    """Of whom in the crowd this member is followed: others for each member."""
    first = number * STRIDE
    return [(crowd[(first + place) % len(crowd)], member.handle) for place in range(member.followers)]
