"""Kills by the dozen: what PostgreSQL has confirmed is there after each of them, and every start works."""

import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from spaces_project.machine import embedded
from spaces_project.machine.processes import with_patience
from tests.rig import folders

KILLS = 40
ROWS_PER_LIFE = 50

pytestmark = [pytest.mark.proof, pytest.mark.alone]


@pytest.fixture
def var() -> Iterator[Path]:
    folder = folders.make("proof", os.getpid())
    yield folder
    folders.remove(folder)


def connect(var: Path) -> psycopg.Connection[tuple[int]]:
    described = embedded.database(var)
    return psycopg.connect(
        host=described["HOST"], user=described["USER"], dbname=described["NAME"], autocommit=True
    )  # fmt: skip


def test_nothing_confirmed_is_lost_when_postgresql_is_killed(var: Path) -> None:
    server = embedded.start_postgres(var)
    with connect(var) as connection:
        connection.execute("CREATE TABLE kept (number int PRIMARY KEY)")
    number = 0
    for _ in range(KILLS):
        with connect(var) as connection:
            for _ in range(ROWS_PER_LIFE):
                connection.execute("INSERT INTO kept VALUES (%s)", [number])
                number += 1
            server.kill()
            server.wait()
        socket = Path(str(embedded.database(var)["HOST"])) / ".s.PGSQL.5432"
        assert socket.exists()  # a kill leaves it, and the next start has to clear it
        server = embedded.start_postgres(var)
        with connect(var) as connection:
            assert connection.execute("SELECT count(*), max(number) + 1 FROM kept").fetchone() == (number, number)
    embedded.stop_postgres(server)


def test_redis_comes_back_after_every_kill(var: Path) -> None:
    server = embedded.start_redis(var)
    for _ in range(KILLS):
        server.kill()
        server.wait()
        server = embedded.start_redis(var)
    embedded.stop_redis(server)
    assert with_patience(lambda: server.poll() is not None, 5)
