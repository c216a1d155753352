"""`manage.py erase_member HANDLE`: close an account, to be erased after some days or now."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts.models import Closing, User
from accounts.shared.refusals import RefusedWith


class Command(BaseCommand):
    help = (
        f"Closes the account of a member at once and erases it after {settings.LEAVING_DAYS} days. Until then they can "
        "log in to come back. Names, texts, picture, address, tokens and follows go; the row stays under an opaque id."
    )

    def create_parser(self, *args: Any, **options: Any) -> Any:
        example = 'Example: manage.py erase_member dee --now --reason "asked by email on 1 December"'
        return super().create_parser(*args, epilog=example, **options)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("handle", help="handle of the member, with or without @")
        parser.add_argument("--now", action="store_true", help="erase at once; there is no way back")
        parser.add_argument("--reason", default="", help="why, for the audit trail")

    def handle(self, handle: str, now: bool, reason: str, **options: Any) -> None:
        user = User.objects.filter(handle=handle.removeprefix("@")).first()
        if user is None:
            raise CommandError(f"No such member: {handle}. Nothing was changed.")
        try:
            closing = _leave(user, now, reason)
        except RefusedWith as refused:
            raise CommandError(f"{refused.text} Nothing was changed.") from None
        if now:
            self.stdout.write(f"Erased. What stays has the id {user.pk}.")
        else:
            self.stdout.write(f"Closed. The account is erased on {closing.erase_at:%Y-%m-%d}.")


@transaction.atomic
def _leave(user: User, now: bool, reason: str) -> Closing:
    closing = Closing.start(user, reason=reason)
    if now:
        user.erase()
    return closing
