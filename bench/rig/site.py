"""The whole measured site: `manage.py runspaces --demo` in a folder of its own, and nginx for its files.

nginx runs with the lines of docs/operating/tls.md for HLS files, as one process.
"""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bench.rig import machine
from spaces_project.machine.processes import spawn, stop
from tests.rig.documents import configuration

CHECKOUT = Path(__file__).parents[2]
START_SECONDS = 120.0
OF_THE_SITE = ("VAR_DIR", "SECRET_KEY", "MEDIA_SECRET", "DATABASE_URL", "REDIS_URL", "HLS_SECRET", "SPACES_DEMO")


class Site:
    """A running site: `async with Site() as site`. All its processes share the server's core."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="spaces-bench-")
        self.var = Path(self._folder.name)
        self.web, self.files = machine.free_port(), machine.free_port()
        self._ports = {
            "--web-port": self.web,
            "--media-port": machine.free_port(socket.SOCK_DGRAM),
            "--media-http-port": machine.free_port(),
        }

    @property
    def url(self) -> str:
        """The address of the site."""
        return f"http://127.0.0.1:{self.web}"

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in OF_THE_SITE}
        return kept | {"VAR_DIR": str(self.var), "SPACES_MIN_FOLLOWERS": "0"}

    async def __aenter__(self) -> Self:
        machine.need_program("nginx", "nginx-light")
        ports = [str(part) for pair in self._ports.items() for part in pair]
        command = [sys.executable, "manage.py", "runspaces", "--demo", "--no-bots", *ports]
        with machine.on_core(machine.cores()[0]), (self.var / "out.log").open("wb") as log:
            self._process = spawn(command, cwd=CHECKOUT, env=self.environment, stdout=log, stderr=log)
        async with asyncio.timeout(START_SECONDS):
            while "Spaces is running at" not in self.said():
                if problem := machine.ended(self._process):
                    raise machine.Failed(f"the site does not start: {problem}: {self.said()[-400:]}")
                await asyncio.sleep(0.2)
        return self

    def said(self) -> str:
        return (self.var / "out.log").read_text(errors="replace")

    def members(self, count: int) -> dict[str, Any]:
        """Create `count` members and a Space for them (bench/rig/members.py)."""
        command = [sys.executable, "-m", "bench.rig.members", str(count)]
        made = subprocess.run(
            command,
            cwd=CHECKOUT,
            env=self.environment | {"SPACES_DEMO": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            raise machine.Failed(f"no members: {made.stderr.strip().splitlines()[-1]}")
        return dict(json.loads(made.stdout))

    def voice(self, space: str, seconds: int) -> None:
        """Start a speaker who talks all the time, and one connected listener."""
        command = [sys.executable, "manage.py", "simulate", "--space", space, "--speakers", "1", "--listeners", "1"]
        more = ["--seconds", str(seconds), "--url", self.url]
        self._voice = spawn([*command, *more], cwd=CHECKOUT, env=self.environment, stdout=subprocess.DEVNULL)

    def serve(self, secret: str) -> None:
        """Start nginx in front of the HLS files."""
        (self.var / "nginx.conf").write_text(nginx_for_files(self.var, self.files, secret))
        with machine.on_core(machine.cores()[0]):
            self._nginx = spawn(["/usr/sbin/nginx", "-p", str(self.var), "-c", str(self.var / "nginx.conf")])

    @property
    def web_pid(self) -> int:
        """The process of the web server."""
        return self._child("runweb")

    @property
    def nginx_pid(self) -> int:
        """The process of nginx. It has no master process here."""
        return self._nginx.pid

    def _child(self, word: str) -> int:
        for path in Path("/proc").glob("[0-9]*"):
            try:
                line = (path / "cmdline").read_bytes()
                if word.encode() in line and str(self.web).encode() in line:
                    return int(path.name)
            except OSError:
                continue
        raise machine.Failed(f"no process {word}")

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in (getattr(self, "_voice", None), getattr(self, "_nginx", None)):
            if process is not None:
                stop(process, (signal.SIGTERM, 3.0))
        stop(self._process, (signal.SIGTERM, 10.0))
        self._folder.cleanup()


def nginx_for_files(folder: Path, port: int, secret: str) -> str:
    """A configuration of nginx that serves `folder`/hls on this port, by the lines of docs/operating/tls.md."""
    page = configuration("nginx")
    maps = "\n".join(re.findall(r"^map \$\w+ \$hls_.*$", page, re.MULTILINE))
    location = re.search(r"^    location ~ \^/hls/.*?^    }$", page, re.DOTALL | re.MULTILINE)
    if location is None:
        raise machine.Failed("the configuration of nginx has no location for /hls/")
    text = f"{maps}\nserver {{ listen 127.0.0.1:{port} backlog=4096;\n{location[0]}\n}}"
    text = text.replace("change-me", secret).replace("/srv/spaces/spaces/var/hls/", f"{folder}/hls/")
    user = "user root;" if os.geteuid() == 0 else ""
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return (
        f"{user} daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/nginx.log;"
        f"worker_rlimit_nofile 20000; events {{ worker_connections 16000; }}"
        f"http {{ access_log off; keepalive_requests 100000; keepalive_timeout 120s; {temporary}\n{text}\n}}\n"
    )
