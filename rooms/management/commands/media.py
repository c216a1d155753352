"""`manage.py media`: lists the media nodes, empties one, or ends one."""

import asyncio
import time
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Callable, Coroutine
from typing import Any

import aiohttp
from django.core.management.base import BaseCommand, CommandError

from accounts.shared.counting import counted
from rooms.nodes import draining, http, placement
from rooms.nodes.placement import Node

EXAMPLE = """
Examples:
  manage.py media list
  manage.py media drain media-1 --wait     before you update that machine; no listener misses a word
  manage.py media drain media-1 --undo
  manage.py media stop media-1 --wait
"""
DRAIN = """
The node gets no more Spaces. Its Spaces move to other nodes, one after another, and everyone still hears everyone.
A Space stays if no other node has enough free places. The node forgets the drain when it is started again.

Example:
  manage.py media drain media-1 --wait
"""
STOP = """
Drains the node, then ends it. The sound that it keeps is shipped first. `runspaces` does not start it again until
`runspaces` itself is started again, and neither does systemd with Restart=on-failure. The node goes on while Spaces
cannot leave it, except with --anyway.

Example:
  manage.py media stop media-1 --wait
"""
LOOK_SECONDS = 0.5
PROGRESS_SECONDS = 5.0
STOP_SECONDS = 15.0


class Command(BaseCommand):
    help = "Lists the media nodes, empties one (drain), or ends one (stop)."

    def create_parser(self, *args: Any, **kwargs: Any) -> Any:
        return super().create_parser(*args, epilog=EXAMPLE, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("list", help="every node and its load, and for how long dead nodes have been silent")
        form = RawDescriptionHelpFormatter
        drain = actions.add_parser("drain", help="give a node no more Spaces", description=DRAIN, formatter_class=form)
        drain.add_argument("name", help="name of the node, as in `media list`")
        drain.add_argument("--wait", action="store_true", help="wait until no one is connected; try moves again")
        drain.add_argument("--stay", action="store_true", help="leave its Spaces where they are")
        drain.add_argument("--undo", action="store_true", help="give it Spaces again")
        stop = actions.add_parser("stop", help="drain a node and end it", description=STOP, formatter_class=form)
        stop.add_argument("name", help="name of the node, as in `media list`")
        stop.add_argument("--wait", action="store_true", help="wait until it has ended")
        stop.add_argument("--anyway", action="store_true", help="end it even if Spaces lose their sound")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["action"] == "list":
            return self._list()
        node = _running_node(options["name"])
        if options["action"] == "stop":
            return _run(lambda client: self._stop(node, client, options))
        return _run(lambda client: self._drain(node, client, options))

    # List
    def _list(self) -> None:
        alive = placement.nodes()
        for node in sorted(alive, key=lambda node: node.name):
            self.stdout.write(
                f"{node.name}  {node.url}  {node.peers}/{node.capacity} peers, {node.load:.0%} of a core, "
                f"tick p99 {node.tick_p99_ms:.1f} ms, {counted(len(node.spaces), 'Space')}{_state(node)}"
            )
        for name, at in placement.silent_nodes(alive):
            self.stdout.write(f"{name}  dead for {time.time() - at:.0f} s")
        self.stdout.write(f"{len(alive)} running.")

    # Drain
    async def _drain(self, node: Node, client: aiohttp.ClientSession, options: dict[str, Any]) -> None:
        if options["undo"]:
            _check_answered(await draining.set_draining(node, client, False), node)
            return self._say(f"{node.name} gets Spaces again.")
        node = await _begin_draining(node, client)
        self._say(f"{node.name} gets no more Spaces.")
        left = len(node.spaces) if options["stay"] else await draining.empty(node, client, self._say)
        if options["wait"]:
            return await self._wait_until_empty(node, client, move=not options["stay"])
        return self._say(f"{node.name} is empty." if not left else f"{node.name} still has {counted(left, 'Space')}.")

    async def _wait_until_empty(self, node: Node, client: aiohttp.ClientSession, move: bool) -> None:
        """Wait until no one is connected. Report progress, and try again to move Spaces that could not leave."""
        reported = time.monotonic()
        while await draining.is_running(node, client):
            now = placement.by_boot(node.boot)
            if now and not (now.peers or now.spaces):
                return self._say(f"{node.name} is empty.")
            if now and time.monotonic() - reported > PROGRESS_SECONDS:
                reported = time.monotonic()
                self._say(f"{node.name}: {now.peers} connected, {counted(len(now.spaces), 'Space')}.")
                if move:
                    await draining.empty(now, client, self._say)
            await asyncio.sleep(LOOK_SECONDS)
        return self._say(f"{node.name} has ended.")

    # Stop
    async def _stop(self, node: Node, client: aiohttp.ClientSession, options: dict[str, Any]) -> None:
        before, node = node, await _begin_draining(node, client)
        left = await draining.empty(node, client, self._say)
        if left and not options["anyway"]:
            await draining.set_draining(node, client, before.draining)
            stuck = f"{counted(left, 'Space')} cannot leave it"
            raise CommandError(f"{node.name} keeps running: {stuck}. Start another node, or use --anyway.")
        _check_answered(await draining.stop(node, client), node)
        self._say(f"{node.name} is ending.")
        if options["wait"]:
            await self._wait_until_gone(node, client)

    async def _wait_until_gone(self, node: Node, client: aiohttp.ClientSession) -> None:
        deadline = time.monotonic() + STOP_SECONDS
        while await draining.is_running(node, client):
            if time.monotonic() > deadline:
                raise CommandError(f"{node.name} is still running after {STOP_SECONDS:.0f} s.")
            await asyncio.sleep(LOOK_SECONDS)
        self._say(f"{node.name} has ended.")

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def _run(work: Callable[[aiohttp.ClientSession], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        async with http.client() as client:
            await work(client)

    asyncio.run(run())


def _running_node(name: str) -> Node:
    alive = placement.nodes()
    for node in alive:
        if node.name == name:
            return node
    there = ", ".join(sorted(node.name for node in alive)) or "none"
    raise CommandError(f"No media node {name} is running. Running: {there}.")


async def _begin_draining(node: Node, client: aiohttp.ClientSession) -> Node:
    """Let a node get no more Spaces. Returns it, with the Spaces that it has then. Raises CommandError."""
    _check_answered(await draining.set_draining(node, client, True), node)
    now = await draining.await_draining(node)
    if now is None:
        await draining.set_draining(node, client, node.draining)
        raise CommandError(f"{node.name} answers, but Redis has no heartbeat from it: see its log.")
    return now


def _check_answered(answered: bool, node: Node) -> None:
    if not answered:
        raise CommandError(f"{node.name} does not answer at {node.url}.")


def _state(node: Node) -> str:
    words = [word for word, holds in (("full", node.full), ("draining", node.draining)) if holds]
    return "".join(f", {word}" for word in words)
