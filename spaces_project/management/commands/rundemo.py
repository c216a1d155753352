"""`manage.py rundemo`: the members of a demonstration that act on their own. Started by `runspaces --demo`."""

import asyncio
import signal
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from spaces_project.demo.bots.programme import run


class Command(BaseCommand):
    help = "Lets members of the demonstration talk, listen and ask to speak. `runspaces --demo` starts it."

    def create_parser(self, *args: Any, **options: Any) -> Any:
        return super().create_parser(*args, epilog="Example: manage.py rundemo", **options)

    def handle(self, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("These members exist only in a demonstration. Start it with `runspaces --demo`.")
        with suppress(asyncio.CancelledError):
            asyncio.run(_until_stopped())
        self.stdout.write("The members of the demonstration have left.")


async def _until_stopped() -> None:
    """Let the members act until SIGTERM or SIGINT."""
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    settings.DEMO_READY_FILE.unlink(missing_ok=True)
    await run(f"http://{settings.WEB_HOST}:{settings.WEB_PORT}", settings.DEMO_READY_FILE.touch)
