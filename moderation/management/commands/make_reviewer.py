"""`manage.py make_reviewer HANDLE ...`: let members review reports, and record it as an audit event."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from moderation.staff import REVIEWERS, make_reviewer


class Command(BaseCommand):
    help = f'Makes members staff and adds them to the group "{REVIEWERS}". Safe to repeat.'

    def create_parser(self, *args: Any, **options: Any) -> Any:
        return super().create_parser(*args, epilog="Example: manage.py make_reviewer mo ada", **options)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("handle", nargs="+", help="handle of a member, without @")

    def handle(self, handle: list[str], **options: Any) -> None:
        people = {user.handle: user for user in User.objects.filter(handle__in=[name.lower() for name in handle])}
        unknown = sorted({name.lower() for name in handle} - set(people))
        if unknown:
            raise CommandError(f"No such member: {', '.join(unknown)}. No account was changed.")
        for user in people.values():
            make_reviewer(user)
            self.stdout.write(f"{user} may now review reports.")
