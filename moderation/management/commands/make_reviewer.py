"""`manage.py make_reviewer HANDLE ...`: let members review reports; written into the trail."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from moderation.staff import REVIEWERS, make_reviewer


class Command(BaseCommand):
    help = f'Makes members staff and puts them into the group "{REVIEWERS}". Safe to repeat.'

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("handle", nargs="+")

    def handle(self, handle: list[str], **options: Any) -> None:
        people = {user.handle: user for user in User.objects.filter(handle__in=[name.lower() for name in handle])}
        unknown = sorted({name.lower() for name in handle} - set(people))
        if unknown:
            raise CommandError(f"No such member: {', '.join(unknown)}. Nobody was changed.")
        for user in people.values():
            make_reviewer(user)
            self.stdout.write(f"{user} may review now.")
