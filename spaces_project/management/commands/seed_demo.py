"""`manage.py seed_demo`: the cast of the demonstration; safe to repeat."""

import itertools
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Permission
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts.importing.batches import import_follows
from accounts.importing.csv_rows import Row
from accounts.models import User
from moderation.staff import make_reviewer

CAST = {"hana": "Hana Mori", "sol": "Sol Aker", "lior": "Lior Katz", "dee": "Dee Wong", "mo": "Mo Staff"}
FOLLOWS = [("sol", "hana"), ("lior", "hana"), ("hana", "sol"), ("hana", "lior"), ("sol", "lior"), ("lior", "sol")]
# Members who only follow hana, so that she may host: every first name with every last one.
FIRST = (
    "Ada Amir Anna Ben Carla Chidi Clara David Elif Emma Farid Finn Greta Hugo Ines Ivan "
    "Jana Jonas Kofi Lea Leon Lin Maya Mila Nadia Noah Olga Pavel Rosa Sami Tara Yusuf"
)
LAST = (
    "Adeyemi Bauer Costa Demir Fischer Haddad Ito Jansen Kowalski Larsen "
    "Moreau Nowak Okafor Petrov Ricci Silva Tanaka Vogel Weber Yilmaz"
)

KNOWN = 79  # one in so many has followers, too


class Command(BaseCommand):
    help = "Makes the demonstration's members: hana hosts, sol and lior follow her, dee is a stranger, mo is staff."

    def handle(self, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("Demo members have known passwords and belong to `runspaces --demo` alone.")
        with transaction.atomic():
            people = self.cast()
            for follower, followee in FOLLOWS:
                people[follower].follow(people[followee])
            self.crowd()
            make_reviewer(people["mo"])
            people["mo"].user_permissions.add(*Permission.objects.filter(codename__in=("view_user", "grant_hosting")))

    def cast(self) -> dict[str, User]:
        """The people with the password of this machine's demonstration; one hash for all, since hashing is slow."""
        people = {user.handle: user for user in User.objects.filter(handle__in=CAST)}
        if len(people) == len(CAST) and people["hana"].check_password(settings.DEMO_PASSWORD):
            return people
        for handle, name in CAST.items():
            people[handle] = people.get(handle) or User.objects.create_user(handle, display_name=name)
        hashed = make_password(settings.DEMO_PASSWORD)
        User.objects.filter(handle__in=CAST).update(password=hashed)
        return people

    def crowd(self) -> None:
        """Followers by the hundred, without a password."""
        pairs = itertools.product(FIRST.split(), LAST.split())
        names = {f"{first}_{last}".lower(): f"{first} {last}" for first, last in pairs}
        nobody = make_password(None)
        User.objects.bulk_create(
            [User(handle=handle, display_name=name, password=nobody) for handle, name in names.items()],
            ignore_conflicts=True,
        )
        crowd = sorted(names)
        follows = [(listener, "hana") for listener in crowd]
        for number, known in enumerate(crowd[::KNOWN]):  # those who are followed themselves are suggested first
            follows += [(follower, known) for follower in crowd[number + 1 : number + 4]]
        _, faults = import_follows(
            [Row(line, {"follower": one, "followee": other}) for line, (one, other) in enumerate(follows, 1)]
        )
        assert not faults, faults
