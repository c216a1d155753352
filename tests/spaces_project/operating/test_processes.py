"""The processes one by one, started by the lines of docs/operating/two-machines.md."""

import json
import os
import shlex
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote

import pytest

from spaces_project.machine import embedded
from spaces_project.machine.processes import spawn, stop, with_patience
from tests.rig import folders
from tests.rig.documents import configuration
from tests.rig.machine import CHECKOUT, OF_THE_RUN, START_SECONDS, free_port
from tests.spaces_project.operating.test_configurations import SECRETS

pytestmark = pytest.mark.alone
PROGRAMS = Path(sys.executable).parent


class Site:
    """A folder with variables of its own, and the processes that were started for it."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack, self.var, self.web = stack, folders.make("processes", os.getpid()), free_port()
        stack.callback(folders.remove, self.var)
        kept = {name: value for name, value in os.environ.items() if name not in OF_THE_RUN}
        described = embedded.database(self.var)
        servers = {
            "DATABASE_URL": f"postgres://{described['USER']}@{quote(described['HOST'], safe='')}/{described['NAME']}",
            "REDIS_URL": embedded.redis_url(self.var),
        }
        ports = {"MEDIA_PORT": str(free_port()), "MEDIA_HTTP_PORT": str(free_port())}
        own = {"VAR_DIR": str(self.var), "WORKER_PROCESSES": "1", "C_FORCE_ROOT": "1"}
        self.environment = kept | SECRETS | servers | ports | own

    @contextmanager
    def servers(self) -> Iterator[None]:
        """PostgreSQL and Redis, for a while."""
        with ExitStack() as stack:
            stack.callback(embedded.stop_postgres, embedded.start_postgres(self.var))
            stack.callback(embedded.stop_redis, embedded.start_redis(self.var))
            yield

    def keep(self, what: AbstractContextManager[None]) -> None:
        """Leave it at the end of the test, before what was started earlier."""
        self._stack.enter_context(what)

    def command(self, line: str) -> list[str]:
        """A printed line, with our programs, folder and port."""
        ours = {".venv/bin/": f"{PROGRAMS}/", "var/": f"{self.var}/", "--port 8000": f"--port {self.web}"}
        for theirs, mine in ours.items():
            line = line.replace(theirs, mine)
        return shlex.split(line)

    def run(self, line: str) -> None:
        subprocess.run(self.command(line), cwd=CHECKOUT, env=self.environment, check=True, timeout=START_SECONDS)

    def start(self, line: str) -> subprocess.Popen[bytes]:
        with (self.var / "log").open("ab") as log:
            process = spawn(self.command(line), cwd=CHECKOUT, env=self.environment, stdout=log, stderr=log)
        self._stack.callback(stop, process, (signal.SIGTERM, 5.0))
        return process

    def said(self) -> str:
        return (self.var / "log").read_text(errors="replace")

    def health(self) -> dict[str, Any]:
        """The answer to /health, also with status 503. Empty while the web does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.web}/health", timeout=20) as answer:
                return dict(json.load(answer))
        except HTTPError as refusal:
            with refusal:
                return dict(json.load(refusal))
        except OSError:
            return {}

    def works(self) -> bool:
        """Pages, sound and jobs, also those of the mixer and the mailer."""
        found = self.health()
        answers = bool(found.get("ok")) and found["nodes"] == 1 and found["jobs_age_seconds"] is not None
        return answers and self.said().count(" ready.") == 3


@pytest.fixture
def site() -> Iterator[Site]:
    with ExitStack() as stack:
        yield Site(stack)


def lines() -> list[str]:
    printed = configuration("processes").splitlines()
    assert "prepare" in printed[0]
    return printed


@pytest.mark.proof
def test_the_printed_lines_start_everything(site: Site) -> None:
    prepare, *others = lines()
    site.keep(site.servers())
    site.run(prepare)
    running = [site.start(line) for line in others]
    assert with_patience(site.works, START_SECONDS), site.said()
    assert [process.poll() for process in running] == [None] * len(others)


@pytest.mark.proof
def test_in_another_order_they_wait_for_what_they_need(site: Site) -> None:
    """The web first, the node last, and PostgreSQL and Redis after all of them."""
    prepare, *others = lines()
    with site.servers():
        site.run(prepare)
    running = [site.start(line) for line in reversed(others)]
    assert with_patience(lambda: site.health().get("ok") is False, START_SECONDS), site.said()
    site.keep(site.servers())
    assert with_patience(site.works, START_SECONDS), site.said()
    assert [process.poll() for process in running] == [None] * len(others)
