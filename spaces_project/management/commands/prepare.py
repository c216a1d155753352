"""`manage.py prepare`: bring database and static files to the state of this version. Safe to repeat."""

import hashlib
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand


def static_digest() -> str:
    """A digest of names, sizes and dates of all static files. It changes whenever one of them may have changed."""
    seen = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list([]):
            status = Path(storage.path(name)).stat()
            seen.update(f"{name} {status.st_size} {status.st_mtime_ns}\n".encode())
    return seen.hexdigest()


class Command(BaseCommand):
    help = "Migrates the database, and collects static files if they have changed. With --demo it also adds members."
    requires_system_checks = []

    def create_parser(self, *args: Any, **options: Any) -> Any:
        return super().create_parser(*args, epilog="Example: manage.py prepare", **options)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--demo", action="store_true", help="also add the members of the demonstration")

    def handle(self, demo: bool, **options: Any) -> None:
        call_command("migrate", interactive=False, verbosity=0)
        self.collect_static()
        if demo:
            call_command("seed_demo")

    def collect_static(self) -> None:
        stamp, digest = Path(settings.STATIC_ROOT) / ".digest", static_digest()
        if stamp.is_file() and stamp.read_text(encoding="ascii") == digest:
            return
        call_command("collectstatic", interactive=False, clear=True, verbosity=0)
        stamp.write_text(digest, encoding="ascii")
