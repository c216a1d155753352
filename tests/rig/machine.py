"""An installation of its own for a test: `manage.py runspaces --demo` in a process and a folder of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import redis

from rooms.media.contract.keys import bearer
from spaces_project.machine import embedded
from spaces_project.machine.processes import with_patience
from tests.rig import folders

CHECKOUT = Path(__file__).parents[2]
START_SECONDS = 120
STOP_SECONDS = 5.0
# The run's own servers, which these processes must not use.
OF_THE_RUN = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "MEDIA_SECRET", "SPACES_DEMO", "VAR_DIR")


def free_port(kind: int = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Machine:
    """A folder for one installation, and what runs in it. `settings` are variables of its own."""

    def __init__(self, **settings: str) -> None:
        self.settings = settings
        self.var = folders.make("machine", os.getpid())
        self.log = self.var / "out.log"
        self.web, self.media, self.media_http = free_port(), free_port(socket.SOCK_DGRAM), free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """The address of its pages, for a browser of this machine."""
        return f"http://localhost:{self.web}"

    @property
    def ports(self) -> list[str]:
        return ["--web-port", str(self.web), "--media-port", str(self.media), "--media-http-port", str(self.media_http)]

    def environment(self, **more: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in OF_THE_RUN}
        return kept | {"VAR_DIR": str(self.var)} | self.settings | more

    def command(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments], cwd=CHECKOUT, env=self.environment(**more),
            capture_output=True, text=True, timeout=START_SECONDS, check=False,
        )  # fmt: skip

    def start(self, *options: str, bots: bool = False) -> None:
        """Start it, all of its output in `log`; with `bots` members talk in two Spaces."""
        quiet = [] if bots else ["--no-bots"]
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "runspaces", "--demo", "--verbose", *self.ports, *quiet, *options],
                cwd=CHECKOUT, env=self.environment(), stdout=out, stderr=subprocess.STDOUT,
            )  # fmt: skip
        self.wait_for("Spaces is running at")

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_for(self, words: str, times: int = 1) -> None:
        process = self.process
        assert process is not None
        came = with_patience(lambda: self.said().count(words) >= times or process.poll() is not None, START_SECONDS)
        assert came, self.said()
        assert self.said().count(words) >= times, self.said()

    def processes(self) -> list[int]:
        """Every process that was started, however indirectly, for this folder."""
        marks = (str(self.var).encode(), str(embedded.postgres_home(self.var)).encode())
        found = []
        for path in Path("/proc").glob("[0-9]*"):
            try:
                about = (path / "environ").read_bytes() + (path / "cmdline").read_bytes()
            except OSError:
                continue
            if any(mark in about for mark in marks):
                found.append(int(path.name))
        return found

    def child(self, *words: str) -> int:
        """Process id of a child whose command line holds all words; it may be about to start again."""
        assert with_patience(lambda: self._children(words) != [], START_SECONDS), f"no process {words}"
        return self._children(words)[0]

    def _children(self, words: tuple[str, ...]) -> list[int]:
        found = []
        for pid in self.processes():
            with suppress(OSError):
                line = Path(f"/proc/{pid}/cmdline").read_bytes().decode().replace("\0", " ")
                found += [pid] if all(word in line for word in words) else []
        return found

    @property
    def _secrets(self) -> dict[str, str]:
        return dict(line.split("=", 1) for line in (self.var / "demo.env").read_text().splitlines() if "=" in line)

    @property
    def demo_password(self) -> str:
        return self._secrets["SPACES_DEMO_PASSWORD"]

    def ask_node(self, space: str) -> dict[str, Any]:
        """What the machine's own media node answers about a Space."""
        headers = {"Authorization": bearer(self._secrets["MEDIA_SECRET"])}
        asked = urllib.request.Request(f"http://127.0.0.1:{self.media_http}/spaces/{space}", headers=headers)
        with urllib.request.urlopen(asked, timeout=10) as answer:
            return dict(json.load(answer))

    def health(self) -> dict[str, object]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.web}/health", timeout=10) as answer:
            return dict(json.load(answer))

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        described = embedded.database(self.var)
        with psycopg.connect(host=described["HOST"], user=described["USER"], dbname=described["NAME"]) as connection:
            return connection.execute(query.encode()).fetchall()

    def forget_budgets(self) -> None:
        """Forget how often members did what, so that a test does not pay for the one before."""
        with redis.Redis.from_url(embedded.redis_url(self.var)) as store:
            for key in store.scan_iter("spaces:budget:*"):
                store.delete(key)

    def end(self, number: int) -> float:
        """Send the supervisor a signal. Returns the seconds until none of its processes is left."""
        assert self.process is not None
        before = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(timeout=START_SECONDS)
        assert with_patience(lambda: not self.processes(), START_SECONDS), self.processes()
        return time.monotonic() - before

    def remove(self) -> None:
        """Kill the supervisor, which has no time to stop its children. Check that none of them is left."""
        if self.process is not None and self.process.poll() is None:
            self.end(signal.SIGKILL)
        folders.remove(self.var)
