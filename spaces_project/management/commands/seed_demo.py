"""`manage.py seed_demo`: the members of the demonstration; safe to repeat."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from spaces_project.demo.seed import seed


class Command(BaseCommand):
    help = "Creates the members of the demonstration, their pictures, and who follows whom."

    def create_parser(self, *args: Any, **options: Any) -> Any:
        return super().create_parser(*args, epilog="Example: manage.py seed_demo", **options)

    def handle(self, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("Demo members have known passwords. They exist only with `runspaces --demo`.")
        seed()
