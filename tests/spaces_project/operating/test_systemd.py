"""The units of docs/operating/, run by systemd: start, a kill, stop, and coturn with a new certificate."""

import shutil
import socket
import ssl
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from spaces_project.machine.processes import with_patience
from tests.rig import folders
from tests.rig.browser.places import Place
from tests.rig.documents import configuration
from tests.rig.machine import CHECKOUT, START_SECONDS
from tests.rig.services import certificate
from tests.rig.services.coturn import SECRET
from tests.rig.services.systemd import Systemd
from tests.spaces_project.operating.test_configurations import SECRETS

pytestmark = [
    pytest.mark.proof,
    pytest.mark.alone,
    pytest.mark.needs_coturn,
    pytest.mark.needs_network,
    pytest.mark.needs_systemd,
]
HEALTH = "http://localhost:8000/health"
TURN, TURN6, TURN_NAME = "203.0.113.9", "2001:db8::9", "turn.example.org"
NODE_HOST, NODE_PORT = "10.0.0.8", 40010
TRIES = 5  # which systemd makes of its own accord
USER, PYTHON = "daemon", f"/usr/bin/env {sys.executable}"

AS_USER = (f"--reuid={USER}", "--clear-groups", *(f"--{caps}-caps=+dac_read_search" for caps in ("inh", "ambient")))


@pytest.fixture
def folder() -> Iterator[Path]:
    made = folders.make_open("systemd")
    yield made
    folders.remove(made)


@pytest.fixture
def place() -> Iterator[Place]:
    with Place("systemd") as made:
        yield made


def is_healthy() -> bool:
    try:
        with urllib.request.urlopen(HEALTH, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def unit(command: str = "manage.py runspaces") -> str:
    """The documented unit, for this checkout, with a user as unprivileged as `spaces`.

    That user may read private folders, since the checkout may lie in one. The program `env` has that right.
    """
    text = configuration("service")
    ours = {
        "User=spaces\n": f"User={USER}\n",
        "AmbientCapabilities=CAP_SYS_NICE\n": "AmbientCapabilities=CAP_SYS_NICE CAP_DAC_READ_SEARCH\n",
        "/srv/spaces/spaces/.venv/bin/python manage.py runspaces": f"{PYTHON} {command}",
        "WorkingDirectory=/srv/spaces/spaces\n": f"WorkingDirectory={CHECKOUT}\n",
    }
    for theirs, mine in ours.items():
        assert theirs in text, theirs
        text = text.replace(theirs, mine)
    return text


@pytest.fixture
def variables(folder: Path) -> Path:
    """/etc/spaces.env, as it is documented for a machine at home."""
    var, file = folder / "var", folder / "etc" / "spaces.env"
    for made in (var, file.parent):
        made.mkdir()
    shutil.chown(var, USER)
    own = SECRETS | {"VAR_DIR": str(var), "HLS_DIR": str(var / "hls")}
    file.write_text(configuration("home") + "".join(f"{name}={value}\n" for name, value in own.items()))
    file.chmod(0o600)
    return file


def manage(systemd: Systemd, *arguments: str) -> str:
    """What a command says, by the documented script."""
    script = configuration("command")
    ours = {
        "/srv/spaces/spaces": str(CHECKOUT),
        "runuser -u spaces -- .venv/bin/python": f"setpriv {' '.join(AS_USER)} {PYTHON}",
    }
    for theirs, mine in ours.items():
        assert theirs in script, theirs
        script = script.replace(theirs, mine)
    done = systemd.run("env", "--ignore-environment", "sh", "-c", script, "spaces", *arguments)
    return done.stdout + done.stderr


@pytest.mark.usefixtures("variables")
def test_the_site_starts_comes_back_after_a_kill_and_stops(place: Place, folder: Path) -> None:
    with Systemd(place, folder, {"spaces.service": unit()}) as systemd:

        def healthy() -> bool:
            return with_patience(lambda: place.do(is_healthy), START_SECONDS)

        systemd.tell("start", "spaces")
        assert healthy(), systemd.log.read_text(errors="replace")
        assert with_patience(lambda: "RR" in policies(systemd, "runmedia"), START_SECONDS), "the node hurries"
        killed = systemd.property("spaces", "MainPID")
        systemd.tell("kill", "--kill-whom=main", "--signal=KILL", "spaces")
        assert with_patience(lambda: systemd.property("spaces", "NRestarts") != "0", START_SECONDS)
        assert healthy(), systemd.log.read_text(errors="replace")
        assert systemd.property("spaces", "MainPID") != killed
        systemd.tell("stop", "spaces")
        assert systemd.property("spaces", "Result") == "success", systemd.log.read_text(errors="replace")
        assert "with signal SIGKILL" not in systemd.log.read_text(errors="replace").split("Stopping", 1)[-1]


@pytest.mark.usefixtures("variables")
def test_a_node_waits_for_its_address_and_stays_away_once_it_is_stopped(place: Place, folder: Path) -> None:
    node = unit(f"manage.py runmedia --port {NODE_PORT} --name second")
    here = f"[Service]\nEnvironment=MEDIA_HTTP_HOST={NODE_HOST} MEDIA_HTTP_PORT={NODE_PORT + 1}\n"
    units = {"spaces.service": unit(), "node.service": node, "node.service.d/spaces.conf": here}
    with Systemd(place, folder, units) as systemd:
        systemd.tell("start", "spaces", "node")
        assert with_patience(lambda: int(systemd.property("node", "NRestarts")) > TRIES, START_SECONDS)
        place.add(NODE_HOST)
        assert with_patience(lambda: "second" in manage(systemd, "media", "list"), START_SECONDS)
        assert "second has ended." in (said := manage(systemd, "media", "stop", "second", "--wait")), said
        assert with_patience(lambda: systemd.property("node", "ActiveState") == "inactive", START_SECONDS)
        assert systemd.property("node", "Result") == "success", "and so it is not started again"


CREDENTIALS = ("SECRET_KEY", "MEDIA_SECRET")


def test_the_site_gets_its_secrets_as_credentials(variables: Path, place: Place, folder: Path) -> None:
    """From files that only root can read. No variable has them, and commands find them, too."""
    kept = folder / "etc" / "spaces"
    kept.mkdir()
    for name in CREDENTIALS:
        (kept / name).write_text(f"{SECRETS[name]}\n")
        (kept / name).chmod(0o600)
    others = [line for line in variables.read_text().splitlines(keepends=True) if not line.startswith(CREDENTIALS)]
    variables.write_text("".join(others) + configuration("credential_files"))
    units = {"spaces.service": unit(), "spaces.service.d/secrets.conf": configuration("credentials")}
    with Systemd(place, folder, units) as systemd:
        systemd.tell("start", "spaces")
        assert with_patience(lambda: place.do(is_healthy), START_SECONDS), systemd.log.read_text(errors="replace")
        environment = systemd.run("cat", f"/proc/{systemd.property('spaces', 'MainPID')}/environ").stdout
        assert "SECRET_KEY_FILE=" in environment
        assert not [name for name in CREDENTIALS if SECRETS[name] in environment]
        assert "1 running." in (said := manage(systemd, "media", "list")), said


def policies(systemd: Systemd, words: str) -> list[str]:
    """How the processes with these words in their command are scheduled, as ps names it."""
    said = systemd.run("ps", "-e", "-o", "cls=,args=").stdout.splitlines()
    return [line.split()[0] for line in said if words in line]


def test_coturn_has_its_port_as_its_own_user_and_takes_what_certbot_renews(place: Place, folder: Path) -> None:
    for address in (TURN, TURN6):
        place.add(address)
    etc, lineage = folder / "etc", folder / "live"
    for made in (etc, lineage):
        made.mkdir()
    write_for_coturn(etc)
    units = {
        "coturn.service": Path("/lib/systemd/system/coturn.service").read_text(),
        "coturn.service.d/spaces.conf": configuration("coturn_service"),
    }
    with Systemd(place, folder, units) as systemd:
        first, code = renewed(systemd, lineage)
        assert code != 0, "there is no coturn yet that could get the signal"
        systemd.tell("start", "coturn")
        main = systemd.property("coturn", "MainPID")
        assert systemd.run("ps", "-o", "user:32=", "-p", main).stdout.strip() == "turnserver"
        assert with_patience(lambda: place.do(lambda: shakes_hands(first)), START_SECONDS)
        second, code = renewed(systemd, lineage)
        assert code == 0
        assert with_patience(lambda: place.do(lambda: shakes_hands(second)), START_SECONDS)
        assert not place.do(lambda: shakes_hands(first))
        assert systemd.property("coturn", "MainPID") == main


def write_for_coturn(etc: Path) -> None:
    """Its configuration, and the hook of certbot."""
    (etc / "coturn-hook").write_text(configuration("certificate"))
    file = etc / "turnserver.conf"
    file.write_text(configuration("coturn").replace("=TURN_SECRET\n", f"={SECRET}\n"))
    shutil.chown(file, "root", "turnserver")
    file.chmod(0o640)


def renewed(systemd: Systemd, lineage: Path) -> tuple[ssl.SSLContext, int]:
    """Who believes the new certificate alone, and the exit code of the hook."""
    certificate.write_lineage(lineage, TURN_NAME)
    called = {"RENEWED_LINEAGE": str(lineage), "RENEWED_DOMAINS": TURN_NAME}
    done = systemd.run("sh", "/etc/coturn-hook", **called)
    return ssl.create_default_context(cafile=str(lineage / "fullchain.pem")), done.returncode


def shakes_hands(trust: ssl.SSLContext) -> bool:
    try:
        with socket.create_connection((TURN, 443), timeout=5) as plain:
            trust.wrap_socket(plain, server_hostname=TURN_NAME).close()
    except OSError:
        return False
    return True
