"""`manage.py invite_member`: make a link with which one person may sign up."""

from argparse import ArgumentParser
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from accounts.models import SignupLink

MOST_DAYS, MOST_LINKS = 90, 1000


class Command(BaseCommand):
    help = "Makes links with which one person each may sign up, for a site with SIGNUP_MODE=invited."

    def create_parser(self, *args: Any, **options: Any) -> Any:
        return super().create_parser(*args, epilog="Example: manage.py invite_member --days 7 --links 20", **options)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=int, default=7, help=f"how long the links are valid, 1 to {MOST_DAYS}")
        parser.add_argument("--links", type=int, default=1, help=f"how many, 1 to {MOST_LINKS}")

    def handle(self, days: int, links: int, **options: Any) -> None:
        if not 1 <= days <= MOST_DAYS:
            raise CommandError(f"--days has to be 1 to {MOST_DAYS}.")
        if not 1 <= links <= MOST_LINKS:
            raise CommandError(f"--links has to be 1 to {MOST_LINKS}.")
        if settings.SIGNUP_MODE != "invited":
            raise CommandError(f"SIGNUP_MODE is {settings.SIGNUP_MODE}. Links work if it is invited.")
        site = settings.PUBLIC_URL or f"http://localhost:{settings.WEB_PORT}"
        for _ in range(links):
            query = urlencode({"invite": SignupLink.make(days)})
            self.stdout.write(f"{site}{reverse('account_signup')}?{query}")
