"""`manage.py reset_second_factor HANDLE`: for a person who has lost telephone and recovery codes."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import User


class Command(BaseCommand):
    help = (
        "Removes the authenticator app and the recovery codes of a person and logs them out everywhere. Staff set up "
        "a new second factor at their next log-in. Ask first who you are talking to. Safe to repeat."
    )

    def create_parser(self, *args: Any, **options: Any) -> Any:
        example = 'Example: manage.py reset_second_factor mo --reason "telephone stolen, asked in person"'
        return super().create_parser(*args, epilog=example, **options)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("handle", help="handle of the person, with or without @")
        parser.add_argument("--reason", default="", help="why, for the audit trail")

    def handle(self, handle: str, reason: str, **options: Any) -> None:
        user = User.objects.filter(handle=handle.removeprefix("@").lower()).first()
        if user is None:
            raise CommandError(f"No such member: {handle}. Nothing was changed.")
        user.reset_second_factor(None, reason)
        self.stdout.write(f"{user} has no second factor now.")
