"""The checks of `manage.py doctor`. Each says what it found and, if something is wrong, how to fix it."""

import platform
import shutil
import smtplib
import time
from collections.abc import Callable, Iterator
from ipaddress import ip_network
from secrets import token_bytes, token_hex
from urllib.parse import urlsplit

import psycopg
import redis
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.mail.backends import smtp
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from rooms.store.client import redis_client
from spaces_project.doctor.findings import LOCAL_HOSTS, Finding, bad, doubtful, good, is_network, is_public_site
from spaces_project.doctor.hls import sound_as_files
from spaces_project.doctor.sound import announced_addresses, udp_port
from spaces_project.doctor.turn import turn_servers
from spaces_project.env import LEAST_SECRET
from spaces_project.health import web_health
from spaces_project.machine.demo_secrets import secret
from spaces_project.machine.embedded import POSTGRES_MAJOR

OLDEST_POSTGRES = 14  # what Django 5.2 supports
OLDEST_REDIS = (6, 2)
CLOCK_SECONDS = 2.0
CONNECT_SECONDS = 5


def examine() -> Iterator[Finding]:
    """All findings, in the order in which to fix them."""
    for check in CHECKS:
        yield from check()


# Itself


def version() -> Iterator[Finding]:
    """For readers of the output in a bug report."""
    yield good("version", f"Spaces {settings.SPACES_VERSION}, Python {platform.python_version()}")


# Web


def secrets() -> Iterator[Finding]:
    for name in ("SECRET_KEY", "MEDIA_SECRET"):
        if len(secret(name)) < LEAST_SECRET:
            yield bad(name, "missing or short", f"Set {name} to 50 random characters, the same for every process.")
        else:
            yield good(name, "set")
    if settings.HLS:
        yield _secret_of_files()


def _secret_of_files() -> Finding:
    """Listeners of files hold signatures made with it, so they could guess a short one. Web servers know it, too."""
    name, mend = "HLS_SECRET", "Set HLS_SECRET to the output of `openssl rand -hex 32`, here and in the web server."
    if len(secret(name)) < LEAST_SECRET:
        return bad(name, "short", mend)
    others = [other for other in ("SECRET_KEY", "MEDIA_SECRET", "TURN_SECRET") if secret(other) == secret(name)]
    if others:
        return bad(name, f"the same as {others[0]}, which the web server must not know", mend)
    return good(name, "set")


def secure_context() -> Iterator[Finding]:
    """Browsers open a microphone only over HTTPS or on the same machine (W3C Secure Contexts, section 3.1)."""
    url = urlsplit(settings.PUBLIC_URL or f"http://localhost:{settings.WEB_PORT}")
    what = "secure context"
    if url.scheme != "https" and url.hostname not in LOCAL_HOSTS:
        yield bad(
            what, f"{url.geturl()} is not HTTPS", "Put nginx with a certificate in front (docs/operating/tls.md)."
        )
    elif (url.hostname or "") not in settings.ALLOWED_HOSTS and not _matches(url.hostname or ""):
        yield bad(what, f"{url.hostname} is not in ALLOWED_HOSTS", f"Set ALLOWED_HOSTS={url.hostname},localhost.")
    else:
        yield good(what, url.geturl())


def _matches(host: str) -> bool:
    return any(name == "*" or (name.startswith(".") and host.endswith(name)) for name in settings.ALLOWED_HOSTS)


def proxies() -> Iterator[Finding]:
    what = "proxies"
    wrong = [address for address in settings.TRUSTED_PROXIES if not is_network(address)]
    if wrong:
        yield bad(
            what, f"not an address: {', '.join(wrong)}", "Name addresses or networks in TRUSTED_PROXIES, not hosts."
        )
    elif any(ip_network(address, strict=False).prefixlen == 0 for address in settings.TRUSTED_PROXIES):
        yield bad(what, "every address is trusted", "Name the proxy's own address in TRUSTED_PROXIES, e.g. 127.0.0.1.")
    elif settings.PUBLIC_URL.startswith("https://") and not settings.TRUSTED_PROXIES:
        yield bad(
            what, "PUBLIC_URL is HTTPS, but no proxy is trusted", "Set TRUSTED_PROXIES to the address of the proxy."
        )
    else:
        yield good(what, ", ".join(settings.TRUSTED_PROXIES) or "none, and none needed")


def web_port() -> Iterator[Finding]:
    what = f"web on port {settings.WEB_PORT}"
    health = web_health(settings.WEB_HOST, settings.WEB_PORT)
    if health is None:
        mend = "Start `manage.py runspaces`, or set WEB_HOST and WEB_PORT to those of the web process."
        yield doubtful(what, "no healthy web process of Spaces answers", mend)
    else:
        yield good(what, "answers")


def mail() -> Iterator[Finding]:
    if settings.EMAIL_HOST:
        yield _mail_server()
    elif is_public_site():
        detail = "EMAIL_HOST is empty: no password reset can be sent"
        yield doubtful("mail", detail, "Set EMAIL_HOST to an SMTP server, and DEFAULT_FROM_EMAIL.")
    else:
        yield good("mail", "none is sent")


def _mail_server() -> Finding:
    """Connects and logs in as for a message, and sends none."""
    where = f"{settings.EMAIL_HOST}, port {settings.EMAIL_PORT}"
    try:
        with smtp.EmailBackend(timeout=CONNECT_SECONDS):
            return good("mail", f"by {where}")
    except (OSError, smtplib.SMTPException) as fault:
        words = " ".join(str(fault).split()) or type(fault).__name__
        return bad(
            "mail", f"{where}: {words}", "Check EMAIL_HOST, EMAIL_PORT, EMAIL_USE_TLS, the user and the password."
        )


# Servers


def database() -> Iterator[Finding]:
    what = "database"
    try:
        with _directly() as direct:
            number = direct.info.server_version // 10000
    except psycopg.Error as error:
        yield bad(
            what, str(error).splitlines()[0], "Start `manage.py runspaces`, or set DATABASE_URL to a running server."
        )
        return
    if number < OLDEST_POSTGRES:
        yield bad(what, f"PostgreSQL {number}", f"Use PostgreSQL {OLDEST_POSTGRES} or newer.")
    else:
        yield good(what, f"PostgreSQL {number}")
    yield _migrations()


def _directly() -> psycopg.Connection:
    """A connection without the pool, which would retry for a long time."""
    return psycopg.connect(**(connection.get_connection_params() | {"connect_timeout": CONNECT_SECONDS}))


def _migrations() -> Finding:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        return bad("migrations", f"{len(plan)} not applied", "Run `manage.py migrate`.")
    return good("migrations", "applied")


def redis_server() -> Iterator[Finding]:
    what = "Redis"
    try:
        about = redis_client().info()
    except redis.RedisError as error:
        yield bad(what, str(error), "Start `manage.py runspaces`, or set REDIS_URL to a running server.")
        return
    version = str(about["redis_version"])
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST_REDIS:
        yield bad(what, f"version {version}", "Use Redis 6.2 or newer.")
    elif about.get("maxmemory") and about.get("maxmemory_policy") != "noeviction":
        yield bad(
            what,
            "it drops keys when its memory is full",
            "Set maxmemory-policy noeviction in Redis. Jobs and rights are kept there.",
        )
    else:
        yield good(what, f"version {version}")


def wheels() -> Iterator[Finding]:
    """Servers from wheels get no updates from the distribution and have settings for one machine."""
    used = [
        name for name, own in (("PostgreSQL", settings.EMBEDDED_POSTGRES), ("Redis", settings.EMBEDDED_REDIS)) if own
    ]
    if used and is_public_site():
        mend = "Install Debian's postgresql and redis-server, and set DATABASE_URL and REDIS_URL."
        yield doubtful("embedded servers", f"a public site uses {' and '.join(used)} from wheels", mend)
    else:
        detail = f"{' and '.join(used)} (PostgreSQL {POSTGRES_MAJOR})" if used else "not used"
        yield good("embedded servers", detail)


def storage() -> Iterator[Finding]:
    what = "storage of recordings"
    where = settings.RECORDINGS_BUCKET or settings.RECORDINGS_DIR
    recordings, content = storages["recordings"], token_bytes(32)
    try:
        name = recordings.save(f"doctor/{token_hex(8)}", ContentFile(content))
        with recordings.open(name) as file:
            same = file.read() == content
        recordings.delete(name)
        gone = not recordings.exists(name)
    except Exception as error:  # storages raise errors of their own libraries
        yield bad(what, f"{where}: {error}", "Check RECORDINGS_DIR and its owner, or RECORDINGS_BUCKET and its keys.")
        return
    if not (same and gone):
        yield bad(
            what,
            f"{where}: a file cannot be {'read back' if not same else 'deleted'}",
            "Check the permissions of the storage.",
        )
    else:
        yield good(what, f"{where}: written, read, deleted")
    if not settings.RECORDINGS_BUCKET:
        yield _free_space()


def _free_space() -> Finding:
    free = shutil.disk_usage(settings.RECORDINGS_DIR).free / 2**30
    if free < 2:
        return bad("disk", f"{free:.1f} GiB free", "Free some space: an hour with twelve voices takes up to 0.3 GiB.")
    return good("disk", f"{free:.0f} GiB free")


def clock() -> Iterator[Finding]:
    """Machines compare room time, grants and purge dates."""
    for what, ask in CLOCKS.items():
        try:
            off = abs(_between(ask))
        except (psycopg.Error, redis.RedisError):
            continue  # another check reports it
        if off > CLOCK_SECONDS:
            yield bad(f"clock against {what}", f"{off:.1f} s apart", "Run an NTP client (chrony) on every machine.")
        else:
            yield good(f"clock against {what}", f"{off:.2f} s apart")


def _between(ask: Callable[[], float]) -> float:
    """Seconds by which a server's clock differs from ours, less half of the time the question took."""
    before = time.time()
    there = ask()
    return there - (before + time.time()) / 2


def _postgres_time() -> float:
    with _directly() as direct:
        row = direct.execute("SELECT extract(epoch FROM clock_timestamp())").fetchone()
    return float(row[0]) if row else 0.0


def _redis_time() -> float:
    seconds, microseconds = redis_client().time()
    return float(seconds) + float(microseconds) / 1e6


CLOCKS = {"PostgreSQL": _postgres_time, "Redis": _redis_time}
CHECKS = [
    version, secrets, secure_context, proxies, web_port, mail, announced_addresses, udp_port, turn_servers,
    sound_as_files, database, redis_server, wheels, storage, clock,
]  # fmt: skip
