"""The units of docs/operating.md, run by systemd: start, a kill, stop, and coturn with a new certificate."""

import grp
import os
import pwd
import socket
import ssl
import sys
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from spaces_project.processes import with_patience
from tests import certificate, folders
from tests.browser.places import Place
from tests.coturn import SECRET
from tests.coturn import documented as coturns
from tests.machine import CHECKOUT, START_SECONDS
from tests.spaces_project.test_configurations import SECRETS, documented
from tests.systemd import Systemd

pytestmark = [pytest.mark.proof, pytest.mark.alone]
HEALTH = "http://localhost:8000/health"
TURN, TURN6, TURN_NAME = "203.0.113.9", "2001:db8::9", "turn.example.org"
NODE_PORT = 40010


@pytest.fixture
def folder() -> Iterator[Path]:
    made = folders.make("systemd", os.getpid())
    made.chmod(0o755)
    yield made
    folders.remove(made)


@pytest.fixture
def place() -> Iterator[Place]:
    with Place("systemd") as made:
        yield made


def inside(place: Place, do: Callable[[], bool]) -> bool:
    def enter_and_do() -> bool:
        place.enter()
        return do()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(enter_and_do).result()


def is_healthy() -> bool:
    try:
        with urllib.request.urlopen(HEALTH, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def unit(command: str = "manage.py runspaces") -> str:
    """The documented one, of this checkout, as the user of the tests."""
    text = documented("service")
    ours = {
        "User=spaces\n": f"User={pwd.getpwuid(os.getuid()).pw_name}\n",
        "/srv/spaces/spaces/.venv/bin/python manage.py runspaces": f"{sys.executable} {command}",
        "WorkingDirectory=/srv/spaces/spaces\n": f"WorkingDirectory={CHECKOUT}\n",
    }
    for theirs, mine in ours.items():
        assert theirs in text, theirs
        text = text.replace(theirs, mine)
    return text


def write_variables(folder: Path) -> None:
    own = SECRETS | {"VAR_DIR": str(folder / "var"), "HLS_DIR": str(folder / "var" / "hls")}
    lines = "".join(f"{name}={value}\n" for name, value in own.items())
    (folder / "etc").mkdir()
    (folder / "etc" / "spaces.env").write_text(documented("home") + lines)


def test_the_site_starts_comes_back_after_a_kill_and_stops(place: Place, folder: Path) -> None:
    write_variables(folder)
    node = unit(f"manage.py runmedia --port {NODE_PORT} --http-port {NODE_PORT + 1} --name second")
    with Systemd(place, folder, {"spaces.service": unit(), "node.service": node}) as systemd:

        def healthy() -> bool:
            return with_patience(lambda: inside(place, is_healthy), START_SECONDS)

        systemd.tell("start", "spaces")
        assert healthy(), systemd.log.read_text(errors="replace")
        killed = systemd.property("spaces", "MainPID")
        systemd.tell("kill", "--kill-whom=main", "--signal=KILL", "spaces")
        assert with_patience(lambda: systemd.property("spaces", "NRestarts") == "1", START_SECONDS)
        assert healthy(), systemd.log.read_text(errors="replace")
        assert systemd.property("spaces", "MainPID") != killed
        a_node_that_is_told_to_stop_stays_away(systemd, folder)
        systemd.tell("stop", "spaces")
        print("stopped:", systemd.property("spaces", "Result"))
        assert systemd.property("spaces", "Result") == "success", systemd.log.read_text(errors="replace")
        assert systemd.run("pgrep", "--full", str(CHECKOUT)).stdout == ""


def a_node_that_is_told_to_stop_stays_away(systemd: Systemd, folder: Path) -> None:
    variables = (folder / "etc" / "spaces.env").read_text().split()

    def media(*arguments: str) -> str:
        manage = [sys.executable, "manage.py", "media", *arguments]
        done = systemd.run("env", "--ignore-environment", f"--chdir={CHECKOUT}", *variables, *manage)
        return done.stdout + done.stderr

    systemd.tell("start", "node")
    assert with_patience(lambda: "second" in media("list"), START_SECONDS), media("list")
    assert "second has ended." in (said := media("stop", "second", "--wait")), said
    assert with_patience(lambda: systemd.property("node", "ActiveState") == "inactive", START_SECONDS)
    assert (systemd.property("node", "NRestarts"), systemd.property("node", "Result")) == ("0", "success")


def test_coturn_has_its_port_as_its_own_user_and_takes_what_certbot_renews(place: Place, folder: Path) -> None:
    for address in (TURN, TURN6):
        place.add(address)
    etc, lineage = folder / "etc", folder / "live"
    for made in (etc, lineage):
        made.mkdir()
    (etc / "coturn-hook").write_text(documented("certificate"))
    configuration = etc / "turnserver.conf"
    configuration.write_text(
        coturns("coturn").replace("static-auth-secret=TURN_SECRET", f"static-auth-secret={SECRET}")
    )
    os.chown(configuration, 0, grp.getgrnam("turnserver").gr_gid)
    configuration.chmod(0o640)
    units = {
        "coturn.service": Path("/lib/systemd/system/coturn.service").read_text(),
        "coturn.service.d/spaces.conf": documented("coturn_service"),
    }
    with Systemd(place, folder, units) as systemd:

        def renew() -> ssl.SSLContext:
            certificate.write(lineage, TURN_NAME)
            (lineage / "cert.pem").rename(lineage / "fullchain.pem")
            (lineage / "key.pem").rename(lineage / "privkey.pem")
            systemd.run("sh", "-e", "/etc/coturn-hook", RENEWED_LINEAGE=str(lineage))
            return ssl.create_default_context(cafile=str(lineage / "fullchain.pem"))

        def shakes_hands(trust: ssl.SSLContext) -> bool:
            try:
                with socket.create_connection((TURN, 443), timeout=5) as plain:
                    trust.wrap_socket(plain, server_hostname=TURN_NAME).close()
            except OSError:
                return False
            return True

        first = renew()
        systemd.tell("start", "coturn")
        main = systemd.property("coturn", "MainPID")
        assert systemd.run("ps", "-o", "user:32=", "-p", main).stdout.strip() == "turnserver"
        assert with_patience(lambda: inside(place, lambda: shakes_hands(first)), START_SECONDS)
        second = renew()
        assert with_patience(lambda: inside(place, lambda: shakes_hands(second)), START_SECONDS)
        assert not inside(place, lambda: shakes_hands(first))
        assert systemd.property("coturn", "MainPID") == main
