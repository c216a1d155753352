"""Pytest plugin: real PostgreSQL and Redis for the run, in a private folder, unless the environment names servers.

A parallel run shares one PostgreSQL (each worker has a database of its own in it, by pytest-django). Redis and the
folder of written files belong to one worker alone, since published messages know no database.
"""

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from spaces_project.machine import embedded
from tests.rig import folders

_undo: list[Callable[[], object]] = []


def _start_run() -> None:
    """Start what the whole run shares: secrets and PostgreSQL."""
    folders.sweep()
    os.environ |= {"SPACES_TEST_RUN": "1", "SPACES_DEMO": "0"}
    os.environ |= {"SECRET_KEY": secrets.token_urlsafe(50), "MEDIA_SECRET": secrets.token_urlsafe(32)}
    os.environ["SPACES_TEST_REDIS"] = os.environ.get("REDIS_URL", "")
    if not os.environ.get("DATABASE_URL"):
        os.environ["DATABASE_URL"] = _start_postgres(_folder())


def _start_worker() -> None:
    """Start what belongs to one process of the run: a folder and Redis."""
    os.environ["VAR_DIR"] = str(var := _folder())
    named = os.environ["SPACES_TEST_REDIS"]
    os.environ["REDIS_URL"] = _own_number(named) if named else _start_redis(var)


def _folder() -> Path:
    var = folders.make("run", os.getpid())
    _undo.append(lambda: folders.remove(var))
    return var


def _start_postgres(var: Path) -> str:
    server = embedded.start_postgres(var, durable=False)
    _undo.append(lambda: embedded.stop_postgres(server))
    described = embedded.database(var)
    return f"postgres://{described['USER']}@{quote(described['HOST'], safe='')}/{described['NAME']}"


def _start_redis(var: Path) -> str:
    server = embedded.start_redis(var, durable=False)
    _undo.append(lambda: embedded.stop_redis(server))
    return embedded.redis_url(var)


def _own_number(url: str) -> str:
    """The named Redis, with a database number for each worker of a parallel run, and one for a run beside it."""
    parts = urlsplit(url)
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    number = 1 + int(worker.removeprefix("gw")) if worker else 0
    return parts._replace(path=f"/{int(parts.path.strip('/') or 0) + number}").geturl()


def pytest_unconfigure(config: pytest.Config) -> None:
    while _undo:
        _undo.pop()()


if "SPACES_TEST_RUN" not in os.environ:
    _start_run()
_start_worker()
