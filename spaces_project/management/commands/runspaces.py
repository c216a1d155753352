"""`manage.py runspaces`: everything that Spaces needs, on this machine, started and stopped together."""

import os
import signal
import socket
import time
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from rooms.management.options import MOST_PORT, number
from spaces_project.demo import greeting, links
from spaces_project.env import load_file
from spaces_project.health import web_health
from spaces_project.machine import demo_secrets, embedded, media_nodes, own_addresses, running
from spaces_project.machine.output import Console, LogFiles, Output
from spaces_project.machine.own_addresses import LOOPBACK
from spaces_project.machine.supervisor import Child, StartFailed, Supervisor, python

HEALTHY_SECONDS = 180
ALIVE_SECONDS = 90  # for the first words of a demonstration, before its links are printed
# Celery's warning; docs/operating/one-machine.md#a-user-of-its-own says the same.
CELERY_AS_ROOT = "You're running the worker with superuser privileges"

EXAMPLES = """examples:
  manage.py runspaces --demo
  runs a demonstration. Its last lines are links that log in.
  manage.py runspaces --web-port 8080 --media-nodes 2
  runs the site with two media nodes. It needs SECRET_KEY and MEDIA_SECRET.
"""


class Command(BaseCommand):
    help = "Runs web, media nodes, workers, beat and, unless URLs name others, PostgreSQL and Redis. Ctrl-C stops all."
    requires_system_checks = []

    def create_parser(self, *args: Any, **options: Any) -> Any:
        return super().create_parser(*args, epilog=EXAMPLES, formatter_class=RawDescriptionHelpFormatter, **options)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--demo", action="store_true", help="demo members, secrets of its own, HTTP on loopback only"
        )
        parser.add_argument(
            "--no-bots", action="store_true", help="with --demo: no members that talk and listen on their own"
        )
        parser.add_argument(
            "--verbose", action="store_true", help="with --demo: also print the output of servers and workers"
        )
        parser.add_argument("--web-port", default=settings.WEB_PORT, help="HTTP port of the site (WEB_PORT)")
        parser.add_argument(
            "--media-port", default=settings.MEDIA_PORT, help="UDP port of the first media node (MEDIA_PORT)"
        )
        parser.add_argument(
            "--media-http-port", default=settings.MEDIA_HTTP_PORT, help="HTTP port of the first media node"
        )
        parser.add_argument(
            "--media-nodes",
            default=settings.MEDIA_NODES,
            help="number of media nodes (MEDIA_NODES); 0: one per core but one",
        )

    def handle(self, **options: Any) -> None:
        self.demo: bool = options["demo"]
        self.bots: bool = self.demo and not options["no_bots"]
        self.verbose: bool = options["verbose"] or not self.demo
        self.logs = settings.VAR_DIR / "log"
        self.link_secret = links.new_secret() if self.demo else ""
        self.web_host = LOOPBACK if self.demo else settings.WEB_HOST
        self.media_http_host = LOOPBACK if self.demo else settings.MEDIA_HTTP_HOST
        self.own_addresses = own_addresses.in_networks() if self.demo else []
        self.media_host = own_addresses.bind_to(self.own_addresses) if self.demo else settings.MEDIA_BIND
        self.ports = {name: number(options, f"{name}_port", 1, MOST_PORT) for name in ("web", "media", "media_http")}
        self.media = self.wanted_nodes(options)
        lock = embedded.servers_lock(settings.VAR_DIR)
        if not lock.take():
            raise CommandError(f"{settings.VAR_DIR} is in use by process {lock.owner()}. Stop that first.")
        self.check_secrets()
        self.check_ports()
        self.supervise()

    def wanted_nodes(self, options: dict[str, Any]) -> list[media_nodes.MediaNode]:
        try:
            return media_nodes.of(number(options, "media_nodes", 0, media_nodes.MOST), self.ports)
        except media_nodes.NoSuchPort as error:
            raise CommandError(str(error)) from None

    # Before anything starts
    def check_secrets(self) -> None:
        if self.demo:
            demo_secrets.make_file(settings.DEMO_FILE)
            load_file(settings.DEMO_FILE)
            return
        if settings.DEMO_FILE.exists() and settings.EMBEDDED_POSTGRES:
            raise CommandError(
                f"{settings.VAR_DIR} holds a demonstration, whose password was shown. Set VAR_DIR to a new folder."
            )
        for name in ("SECRET_KEY", "MEDIA_SECRET"):
            if not demo_secrets.secret(name):
                raise CommandError(
                    f"{name} is not set. Give it 50 random characters (docs/operating/one-machine.md), or use --demo."
                )

    def check_ports(self) -> None:
        wanted = [("web", self.web_host, self.ports["web"], socket.SOCK_STREAM)]
        for node in self.media:
            wanted.append(("media", self.media_host, node.port, socket.SOCK_DGRAM))
            wanted.append(("media_http", self.media_http_host, node.http_port, socket.SOCK_STREAM))
        for name, host, port, kind in wanted:
            if not _is_free(host, port, kind):
                option = f"--{name.replace('_', '-')}-port"
                raise CommandError(
                    f"Port {port} of {host} is taken. Choose another one with {option} {_another(port)}."
                )

    # Running
    def supervise(self) -> None:
        supervisor = Supervisor(self.say, self.output())
        supervisor.catch_signals()
        try:
            with running.published(settings.VAR_DIR, self.places()):
                self.start(supervisor)
                supervisor.watch()
        except (StartFailed, embedded.EmbeddedError) as error:
            raise CommandError(str(error)) from None
        finally:
            self.say("Stopping ...")
            supervisor.stop()
            self.say("Stopped.")

    def output(self) -> Output:
        """A demonstration keeps the console for its own few lines; for systemd everything is there, as JSON."""
        return Console(self.say) if self.verbose else LogFiles(self.logs, self.say)

    def start(self, supervisor: Supervisor) -> None:
        var = settings.VAR_DIR
        if settings.EMBEDDED_POSTGRES:
            supervisor.add_server(Child("postgres", lambda _: embedded.start_postgres(var), signal.SIGINT))
        if settings.EMBEDDED_REDIS:
            supervisor.add_server(Child("redis", lambda _: embedded.start_redis(var)))
        supervisor.run_once("prepare", self.python("manage.py", "prepare", *(["--demo"] if self.demo else [])))
        self.started_at = time.monotonic()
        for child in self.children():
            if not supervisor.stopping:
                supervisor.add(child)
        if supervisor.wait_until(self.is_healthy, HEALTHY_SECONDS):
            if self.bots:
                self.bring_to_life(supervisor)
            self.announce()
        elif not supervisor.stopping:
            raise StartFailed(f"Not healthy after {HEALTHY_SECONDS} s ({self.health() or 'the web does not answer'}).")

    def bring_to_life(self, supervisor: Supervisor) -> None:
        """Start the members that act on their own, and wait a moment for their first words.

        They have nothing to save, so they are killed at the end, and the web need not wait for them.
        """
        settings.DEMO_READY_FILE.unlink(missing_ok=True)
        supervisor.add(Child("demo", self.python("manage.py", "rundemo"), signal.SIGKILL))
        supervisor.wait_until(settings.DEMO_READY_FILE.exists, ALIVE_SECONDS)

    def children(self) -> list[Child]:
        web = ["manage.py", "runweb", "--host", self.web_host, "--port", str(self.ports["web"])]
        quiet = ["-W", f"ignore:{CELERY_AS_ROOT}"] if os.geteuid() == 0 else []
        celery = [*quiet, "-m", "celery", "--quiet", "-A", "spaces_project"]
        worker = [*celery, "worker", "--without-gossip", "--without-mingle"]
        mixer = [*worker, "-Q", "mixing", "--concurrency", "1", "--hostname", "mixer@%h"]
        mailer = [*worker, "-Q", "mail", "--concurrency", "1", "--hostname", "mailer@%h"]
        beat = [*celery, "beat", "--schedule", str(settings.VAR_DIR / "beat-schedule"), "--pidfile", ""]
        return [
            *(
                Child(node.child, self.python("manage.py", "runmedia", *node.arguments), may_end=True)
                for node in self.media
            ),
            Child("worker", self.python(*worker, "-Q", "celery", death_signal=signal.SIGKILL)),
            Child("mixer", self.python(*mixer, death_signal=signal.SIGKILL)),
            *([Child("mailer", self.python(*mailer, death_signal=signal.SIGKILL))] if settings.EMAIL_HOST else []),
            Child("beat", self.python(*beat)),
            Child("web", self.python(*web, SPACES_DEMO_LINK_SECRET=self.link_secret)),
        ]

    def python(self, *arguments: str, death_signal: int = signal.SIGTERM, **variables: str) -> Any:
        environment = {"SPACES_DEMO": "1" if self.demo else "0"} | self.places() | variables
        return python(*arguments, environment=environment, folder=settings.BASE_DIR, death_signal=death_signal)

    def places(self) -> dict[str, str]:
        """Variables with the hosts and ports of this start, for all its processes."""
        ports = {f"{name.upper()}_PORT": str(port) for name, port in self.ports.items()}
        return ports | {"MEDIA_NODES": str(len(self.media))} | (self.local_places() if self.demo else {})

    def local_places(self) -> dict[str, str]:
        """Variables of a demonstration: HTTP on loopback, sound also at the machine's own addresses, for Firefox."""
        announced = ",".join([LOOPBACK, *self.own_addresses])
        http = dict.fromkeys(("WEB_HOST", "MEDIA_HTTP_HOST"), LOOPBACK)
        return http | {"MEDIA_BIND": self.media_host, "MEDIA_ANNOUNCE": announced}

    # Health
    def is_healthy(self) -> bool:
        """Whether web, nodes and worker are up. A canary of an earlier start does not count."""
        found = self.health()
        if not (found and found["ok"] and found["nodes"] >= len(self.media) and found["jobs_age_seconds"] is not None):
            return False
        return bool(found["jobs_age_seconds"] < time.monotonic() - self.started_at)

    def health(self) -> dict[str, Any] | None:
        return web_health(self.web_host, self.ports["web"])

    # Output
    def say(self, line: str) -> None:
        try:
            self.stdout.write(line)
            self.stdout.flush()
        except BrokenPipeError:  # the reader of our output is gone; the children still have to be stopped
            self.stdout = self.stderr

    def announce(self) -> None:
        address = settings.PUBLIC_URL if settings.PUBLIC_URL and not self.demo else self.local_address()
        self.say(f"\nSpaces is running at {address}    (Ctrl-C stops it)")
        if self.demo:
            password, logs = os.environ["SPACES_DEMO_PASSWORD"], None if self.verbose else self.logs
            for line in greeting.lines(address, password, self.link_secret, self.about_sound(), logs):
                self.say(line)

    def about_sound(self) -> str:
        """A line about the address of the sound for Firefox, or why Firefox gets files if there is none."""
        if not self.own_addresses:
            return "This machine is not in a network, so Firefox plays the sound a few seconds late. Chromium does not."
        ports = ", ".join(str(node.port) for node in self.media)
        return f"For Firefox, the sound also arrives at {' and '.join(self.own_addresses)} (UDP port {ports})."

    def local_address(self) -> str:
        host = "localhost" if self.web_host in (LOOPBACK, "0.0.0.0", "::") else self.web_host  # noqa: S104
        return f"http://{host}:{self.ports['web']}"


def _another(port: int) -> int:
    return port + 1 if port < MOST_PORT else port - 1


def _is_free(host: str, port: int, kind: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, kind) as probe:
        if kind == socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
