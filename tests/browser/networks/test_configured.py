"""The two configurations of one machine in docs/operating/, run in network namespaces as they are printed.

They keep their variables, their addresses, and the documented nginx on ports 80 and 443. Members come with a real
Chromium from their own networks. Only paths and secrets are the test's own.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Playwright

from spaces_project.env import read_file
from spaces_project.machine.processes import spawn, stop, with_patience
from tests.browser.conftest import HANA
from tests.rig import documents, folders
from tests.rig.browser.person import Person
from tests.rig.browser.places import Link, Place
from tests.rig.machine import CHECKOUT, OF_THE_RUN, START_SECONDS
from tests.rig.services import certificate
from tests.rig.services.nginx import HLS_SECRET, HOST, changed, framed, nginx_program
from tests.spaces_project.operating.test_configurations import SECRETS

pytestmark = [pytest.mark.browser, pytest.mark.proof, pytest.mark.needs_nginx, pytest.mark.needs_network]
PUBLIC, PUBLIC_IPV6 = "203.0.113.7", "2001:db8::7"
HOME, GUEST = "192.168.178.20", "192.168.178.30"
MEMBERS = """
from accounts.models import User
hana, lior, dee = (User.objects.create_user(name, "{password}") for name in ("hana", "lior", "dee"))
hana.grant_hosting()
lior.follow(hana)
dee.follow(hana)
"""
# Which of the node's addresses the sound comes from.
NODES = """async () => {
  const stats = await window.connections.at(-1).getStats();
  const transport = [...stats.values()].find((one) => one.type === "transport");
  return stats.get(stats.get(transport.selectedCandidatePairId).remoteCandidateId).address;
}"""
KEEP = """window.connections = parent.connections ?? [];
const Real = window.RTCPeerConnection;
window.RTCPeerConnection = class extends Real {
  constructor(...given) { super(...given); window.connections.push(this); }
};"""


class Server:
    """A machine with Spaces and nginx, with the variables of one of the documented configurations."""

    address, demo_password = f"https://{HOST}", "correct horse battery"

    def __init__(self, place: Place, configuration: str) -> None:
        self.place, self.folder = place, folders.make("configured", os.getpid())
        (self.folder / "printed.env").write_text(documents.configuration(configuration))
        kept = {name: value for name, value in os.environ.items() if name not in OF_THE_RUN}
        own = SECRETS | {"VAR_DIR": str(self.folder / "var"), "HLS_SECRET": HLS_SECRET, "TURN_SECRET": ""}
        trust = {"SSL_CERT_FILE": str(self.folder / "cert.pem")}
        self.environment = kept | own | trust | read_file(self.folder / "printed.env")
        self.spki = certificate.write(self.folder, HOST)

    @contextmanager
    def running(self) -> Iterator["Server"]:
        (self.folder / "nginx.conf").write_text(self._nginx())
        site = self._spawn("manage.py", "runspaces")
        nginx = spawn([*self.place.prefix, nginx_program(), "-c", str(self.folder / "nginx.conf")])
        try:
            assert with_patience(lambda: "Spaces is running" in self.said(), START_SECONDS), self.said()
            made = self.command("shell", "-c", MEMBERS.format(password=self.demo_password))
            assert made.returncode == 0, made.stderr
            yield self
        finally:
            stop(nginx, (signal.SIGTERM, 5.0))
            stop(site, (signal.SIGTERM, 10.0))
            folders.remove(self.folder)

    def _nginx(self) -> str:
        ours = {
            f"/etc/letsencrypt/live/{HOST}/fullchain.pem": f"{self.folder}/cert.pem",
            f"/etc/letsencrypt/live/{HOST}/privkey.pem": f"{self.folder}/key.pem",
            "/srv/spaces/spaces/var/static/": f"{self.folder}/var/static/",
            "/srv/spaces/spaces/var/hls/": f"{self.folder}/var/hls/",
            "change-me": HLS_SECRET,
        }
        return framed(self.folder, changed(documents.configuration("nginx"), ours))

    def _spawn(self, *arguments: str) -> subprocess.Popen[bytes]:
        with (self.folder / "log").open("wb") as log:
            command = [*self.place.prefix, sys.executable, *arguments]
            return spawn(command, cwd=CHECKOUT, env=self.environment, stdout=log, stderr=log)

    def said(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.place.prefix, sys.executable, "manage.py", *arguments], cwd=CHECKOUT, env=self.environment,
            capture_output=True, text=True, timeout=START_SECONDS, check=False,
        )  # fmt: skip


@pytest.fixture
def places() -> Iterator[Callable[[str], Place]]:
    """`places("server")` is a machine of its own."""
    with ExitStack() as stack:
        yield lambda name: stack.enter_context(Place(name))


@pytest.fixture
def browse(
    playwright: Playwright, chromium_path: str, tmp_path: Path, tone_file: Callable[[int], Path]
) -> Iterator[Callable[..., Person]]:
    """`browse("lior", server, place, at)`: lior at a Chromium in a place in which the site's name leads to `at`."""
    people: list[Person] = []

    def person(handle: str, server: Server, place: Place, at: str, tone: int = 0) -> Person:
        led = f"[{at}]" if ":" in at else at
        flags = [f"--host-resolver-rules=MAP {HOST} {led}", f"--ignore-certificate-errors-spki-list={server.spki}"]
        voice = tone_file(tone) if tone else None
        people.append(Person(playwright, place.program(chromium_path, tmp_path), server, handle, voice, flags=flags))
        people[-1].new_page()
        people[-1].page.add_init_script(KEEP)
        return people[-1]

    yield person
    for one in people:
        one.close()


def hears_from(person: Person) -> str:
    """The node's address that the sound of hana comes from."""
    print(f"{person.handle} hears hana after {person.until_hears(HANA):.2f} s")
    return str(person.page.evaluate(NODES))


def no_faults(server: Server) -> None:
    done = server.command("doctor")
    print(done.stdout)
    assert done.returncode == 0, done.stdout


def hear_hana(browse: Callable[..., Person], server: Server, lior: tuple[Place, str], dee: tuple[Place, str]) -> None:
    """hana speaks in lior's place; lior and dee, each in a place, hear her from the address that they connected to."""
    hana = browse("hana", server, *lior, tone=HANA)
    path = hana.open_space()
    hana.join(path)
    hana.open_microphone()
    for handle, (place, at) in (("lior", lior), ("dee", dee)):
        person = browse(handle, server, place, at)
        person.join(path)
        assert hears_from(person) == at
        assert person.problems == []


def test_one_server_with_a_public_address(places: Callable[[str], Place], browse: Callable[..., Person]) -> None:
    """Members come by IPv4 and by IPv6, and each gets the sound by the same one."""
    machine, four, six = places("server"), places("four"), places("six")
    four.connect(machine, Link("public", PUBLIC, "203.0.113.1", bits=24))
    four.join("public")
    six.connect(machine, Link("public6", PUBLIC_IPV6, "2001:db8::1"))
    six.join("public6")
    with named(machine, PUBLIC), Server(machine, "server").running() as server:
        no_faults(server)
        hear_hana(browse, server, (four, PUBLIC), (six, PUBLIC_IPV6))


@contextmanager
def named(place: Place, address: str) -> Iterator[None]:
    """Let the site's name lead to `address` in this place, for programs that `ip netns exec` starts in it."""
    folder = Path("/etc/netns") / place.name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "hosts").write_text(f"127.0.0.1 localhost\n{address} {HOST}\n")
    try:
        yield
    finally:
        shutil.rmtree(folder)


def test_one_machine_behind_a_home_router(places: Callable[[str], Place], browse: Callable[..., Person]) -> None:
    """Members of the world come through the router, those at home directly."""
    machine, router, world, home = (places(name) for name in ("machine", "router", "world", "home"))
    machine.connect(router, Link("uplink", "192.168.178.1", HOME, bits=24))
    machine.join("uplink")
    home.connect(router, Link("lan", "192.168.178.1", GUEST, bits=24))
    home.join("lan")
    router.bridge("192.168.178.1/24")
    world.connect(router, Link("public", PUBLIC, "203.0.113.1", bits=24))
    world.join("public")
    with forwarding(router), named(machine, PUBLIC), Server(machine, "home").running() as server:
        no_faults(server)
        hear_hana(browse, server, (home, HOME), (world, PUBLIC))


@contextmanager
def forwarding(router: Place) -> Iterator[None]:
    """The ports that the table of the page forwards. Like many routers it leads no packet from inside back in."""
    ports = ["--tcp", "80", "443", "--udp", "40000", "--refuse", GUEST]
    command = [*router.prefix, sys.executable, "-m", "tests.rig.browser.router", PUBLIC, HOME, *ports]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield
        finally:
            process.terminate()
