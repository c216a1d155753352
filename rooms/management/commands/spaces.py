"""`manage.py spaces`: lists live Spaces, or ends them."""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from rooms.management.spaces import live_space
from rooms.models import Space

EXAMPLE = """
Examples:
  manage.py spaces list
  manage.py spaces end 6f1c9a52-7c1c-4b0e-9d3f-0a6f4a1f2c11
  manage.py spaces end --all          before the machine is taken down
"""


class Command(BaseCommand):
    help = "Lists live Spaces, or ends them properly: pages show the end, and recordings are completed."

    def create_parser(self, *args: Any, **kwargs: Any) -> Any:
        return super().create_parser(*args, epilog=EXAMPLE, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("list", help="the live Spaces, the oldest first")
        end = actions.add_parser("end", help="end Spaces, as the safety team can")
        end.add_argument("space", nargs="*", help="ids of live Spaces")
        end.add_argument("--all", action="store_true", help="every live Space")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["action"] == "list":
            self._list()
        elif options["all"] == bool(options["space"]):
            raise CommandError("Name the Spaces to end, or use --all.")
        else:
            self._end(list(Space.objects.live()) if options["all"] else list(map(live_space, options["space"])))

    def _list(self) -> None:
        live = Space.objects.live().select_related("host").order_by("started_at")
        for space in live:
            voices = space.stage().count()
            self.stdout.write(f"{space.pk}  {space.host}  {voices} on stage, {space.listener_count} listening  {space}")
        self.stdout.write(f"{len(live)} live.")

    def _end(self, spaces: list[Space]) -> None:
        for space in spaces:
            space.end(why=Space.Why.STAFF)
            self.stdout.write(f"Ended {space.pk} ({space}).")
        self.stdout.write(f"{len(spaces)} ended.")
