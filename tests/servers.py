"""Pytest plugin: real PostgreSQL and Redis for the run, in a private folder, unless the environment names servers."""

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest

from spaces_project import embedded

_started: list[subprocess.Popen[bytes]] = []
_var: Path | None = None


def _start() -> None:
    global _var
    _var = Path(tempfile.mkdtemp(prefix="spaces-test-"))
    os.environ["VAR_DIR"] = str(_var)
    os.environ["SECRET_KEY"] = secrets.token_urlsafe(50)
    os.environ["MEDIA_SECRET"] = secrets.token_urlsafe(32)
    os.environ["SPACES_TEST_SERVERS"] = "1"
    if not os.environ.get("DATABASE_URL"):
        _started.append(embedded.start_postgres(_var))
    if not os.environ.get("REDIS_URL"):
        _started.append(embedded.start_redis(_var))


if "SPACES_TEST_SERVERS" not in os.environ:  # workers of a parallel run use the servers of the run
    _start()


def pytest_unconfigure(config: pytest.Config) -> None:
    for server in reversed(_started):
        server.send_signal(signal.SIGINT)
        server.wait(timeout=30)
    if _var is not None:
        shutil.rmtree(_var, ignore_errors=True)
