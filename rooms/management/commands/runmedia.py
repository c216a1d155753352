"""Run a media node: `manage.py runmedia --port 40000`."""

import asyncio
import logging
import os
import platform
import signal
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from celery import current_app
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.management.base import BaseCommand, CommandError

from rooms import events, protocol
from rooms.management.options import MOST_PORT, number
from rooms.media.capture.tap import Chunk
from rooms.media.contract.hints import ConnectionState, Hint, InEffect, Levels, PeerState
from rooms.media.node import Node
from rooms.media.priority import RealTime
from rooms.media.settings import Settings

log = logging.getLogger(__name__)

EXAMPLE = """example:
  manage.py runmedia --port 40000 --http-port 40001 --name media-1
  runs a node that browsers reach on UDP port 40000. MEDIA_ANNOUNCE names the addresses that browsers get.
  Run one node per core, each with its own ports and name. SIGTERM ships open chunks and ends the node, and its
  supervisor starts it again. `manage.py media stop` ends it with exit 0, and its supervisor does not.
  As root, or with CAP_SYS_NICE, it takes real-time priority for the thread of the sound.
"""
SWITCH_SECONDS = 0.0005  # how long another thread may keep the interpreter when a tick is due


class Web:
    """The web side of a node: hints go through the channel layer, chunks through the storage and a task."""

    async def hint(self, hint: Hint) -> None:
        """Send a hint to the pages that it concerns."""
        match hint:
            case Levels(space, levels):
                await events.hint(space, protocol.Levels(levels=levels))
            case InEffect(space, version):
                await events.hint(space, protocol.InEffect(standing=version))
            case ConnectionState(_, participant, quality, why, way, arrives):
                connection = protocol.Connection(quality=quality, why=why, way=way, arrives=arrives)
                await events.hint_to(participant, connection)
            case PeerState(space, participant, state):
                log.debug("peer %s of %s is %s", participant, space, state)

    def ship(self, chunk: Chunk) -> None:
        """Save a chunk under its key and queue the task that enters it into the rows. Safe to repeat."""
        storage = storages["recordings"]
        if storage.exists(chunk.key):
            storage.delete(chunk.key)
        storage.save(chunk.key, ContentFile(chunk.data))
        current_app.send_task("recordings.tasks.ingest", args=[chunk.key, describe(chunk)], ignore_result=True)


def describe(chunk: Chunk) -> dict[str, Any]:
    """What the rows keep of a chunk."""
    return {
        "space": chunk.space,
        "turn": chunk.turn,
        "participant": chunk.participant,
        "start_ms": chunk.start_ms,
        "duration_ms": chunk.duration_ms,
        "sha256": chunk.sha256,
        "size": len(chunk.data),
    }


def read_settings(port: int, http_port: int, name: str) -> Settings:
    """The settings of the node on these ports. Without a `name` it is called after the machine and the port."""
    return Settings(
        secret=settings.MEDIA_SECRET,
        redis_url=settings.REDIS_URL,
        spool=Path(settings.MEDIA_SPOOL),
        name=name or f"{platform.node()}-{port}",
        bind=settings.MEDIA_BIND,
        port=port,
        http_host=settings.MEDIA_HTTP_HOST,
        http_port=http_port,
        announce=tuple(settings.MEDIA_ANNOUNCE),
        capacity=settings.MEDIA_CAPACITY,
        long_above=settings.MEDIA_LONG_PACKETS_ABOVE / 100,
        most_load=settings.MEDIA_MOST_LOAD / 100,
        hls=settings.HLS_DIR if settings.HLS else None,
        hls_secret=settings.HLS_SECRET,
    )


class Command(BaseCommand):
    help = "Runs a media node, which mixes the live sound of Spaces. It uses no database."
    requires_system_checks: list[str] = []

    def create_parser(self, *args: Any, **options: Any) -> Any:
        return super().create_parser(*args, epilog=EXAMPLE, formatter_class=RawDescriptionHelpFormatter, **options)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", default=settings.MEDIA_PORT, help="UDP port (MEDIA_PORT); 0: a free one")
        parser.add_argument("--http-port", default=settings.MEDIA_HTTP_PORT, help="HTTP port; 0: a free one")
        parser.add_argument("--name", default=settings.MEDIA_NAME, help="name of the node (MEDIA_NAME)")

    def handle(self, *args: Any, **options: Any) -> None:
        port, http_port = (number(options, name, 0, MOST_PORT) for name in ("port", "http_port"))
        if not settings.MEDIA_SECRET:
            raise CommandError("MEDIA_SECRET is not set: the web side and the node need the same one.")
        chosen = read_settings(port, http_port, options["name"])
        sys.setswitchinterval(SWITCH_SECONDS)
        try:
            received = asyncio.run(self._run(chosen))
        except OSError as error:
            raise CommandError(f"The media node cannot start: {error.strerror or error}") from error

        if received is not None:
            _end_by(received)

    async def _run(self, chosen: Settings) -> signal.Signals | None:
        """Run the node to its end. Returns the signal that ended it, None if `manage.py media stop` did."""
        node, received = Node(chosen, Web()), list[signal.Signals]()

        def stop(one: signal.Signals) -> None:
            received.append(one)
            node.stop_requested.set()

        for one in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(one, stop, one)
        await node.start()
        sound = f"UDP {chosen.bind} port {node.port.port}, announced as {', '.join(chosen.announce)}"
        self.stdout.write(
            f"Media node {node.name} of Spaces {settings.SPACES_VERSION}: sound on {sound}; HTTP on {node.url}"
        )
        self.stdout.flush()
        with RealTime(asyncio.get_running_loop()):
            await node.stop_requested.wait()
        await node.stop()
        self.stdout.write(f"Media node {node.name} stopped.")
        if node.failed:
            raise CommandError(f"The media node {node.name} has failed; the log says why.")
        return received[0] if received else None


def _end_by(received: signal.Signals) -> None:
    """End as if the signal was not caught: only exit 0 means that the node is not to be started again."""
    sys.stdout.flush()
    sys.stderr.flush()
    signal.signal(received, signal.SIG_DFL)
    os.kill(os.getpid(), received)
