"""`manage.py runweb`: the web process. `runspaces` starts it, and so does systemd when there are several machines."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.module_loading import import_string

from rooms.management.options import MOST_PORT, number
from spaces_project.web.server import WebServer


class Command(BaseCommand):
    help = "Serves pages, API and websockets until SIGTERM. Run several behind one proxy if one core is not enough."

    def create_parser(self, *args: Any, **options: Any) -> Any:
        return super().create_parser(*args, epilog="Example: manage.py runweb --host 127.0.0.1 --port 8000", **options)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default=settings.WEB_HOST, help="listen on this address (%(default)s)")
        parser.add_argument("--port", default=settings.WEB_PORT, help="listen on this port (%(default)s)")

    def handle(self, **options: Any) -> None:
        host, port = options["host"], number(options, "port", 1, MOST_PORT)
        server = WebServer(import_string(settings.ASGI_APPLICATION), host, port)
        server.run()
        if server.failure:
            raise CommandError(f"Cannot listen on {host}, port {port}: {server.failure}")
