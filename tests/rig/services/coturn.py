"""Debian's coturn on the configuration of docs/operating/turn.md, on a host of its own: a network namespace.

The host has two addresses, and a cable (veth) to the machine with the tests, the media node and the browsers.
All addresses are private ones, which the configuration denies: only what it allows by name is reached.
"""

import os
import re
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from types import MappingProxyType

from rooms.media.contract import turn
from spaces_project.machine.processes import spawn, stop, with_patience
from tests.rig import documents
from tests.rig.services import certificate

NAME = "turn.example.org"
SECRET = secrets.token_hex(32)
START_SECONDS = 30.0
PORTS = (3478, 443)
PREFIX = "spaces-turn-"


def program(name: str, package: str) -> str:
    """The path of a program. The error for a missing program names its package."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    assert found, f"{name} is missing: apt-get install {package}"
    return found


class Cable:
    """A network namespace that is one cable away; `close` removes both. Needs root.

    `there` and `there6` are its addresses. `here`, `other` and the same with 6 are ours.
    """

    def __init__(self) -> None:
        self._sweep()
        pid = os.getpid()
        first, first6 = ip_address("10.64.0.0") + pid % 2**19 * 8, ip_address("fd00::") + (pid << 80)
        self.here, self.there, self.other = (str(first + number) for number in (1, 2, 3))
        self.here6, self.there6, self.other6 = (str(first6 + number) for number in (1, 2, 3))
        self.space, device = f"{PREFIX}{pid}", f"turn{pid}"
        _ip(f"netns add {self.space}")
        _ip(f"link add {device} type veth peer name cable netns {self.space}")
        for four, six in ((self.here, self.here6), (self.other, self.other6)):
            _ip(f"addr add {four}/29 dev {device}")
            _ip(f"addr add {six}/64 dev {device} nodad")
        _ip(f"link set {device} up")
        for line in (f"addr add {self.there}/29 dev cable", f"addr add {self.there6}/64 dev cable nodad"):
            _ip(f"-n {self.space} {line}")
        for end in ("cable", "lo"):
            _ip(f"-n {self.space} link set {end} up")

    def run(self, *command: str) -> subprocess.Popen[bytes]:
        """Start a program on the other end, in silence."""
        inside = [program("ip", "iproute2"), "netns", "exec", self.space, *command]
        return spawn(inside, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def close(self) -> None:
        _ip(f"netns del {self.space}")

    @staticmethod
    def _sweep() -> None:
        """Remove the namespaces of runs that were killed."""
        for line in _ip("netns list").splitlines():
            pid = line.split()[0].removeprefix(PREFIX)
            if pid.isdigit() and not Path(f"/proc/{pid}").exists():
                _ip(f"netns del {PREFIX}{pid}")


def _ip(arguments: str) -> str:
    done = subprocess.run([program("ip", "iproute2"), *arguments.split()], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"ip {arguments}: {done.stderr.strip()} (a network of the test's own needs root)"
    return done.stdout


def denied_ranges() -> list[str]:
    """The ranges of the documented deny list, in its order."""
    return re.findall(r"^denied-peer-ip=(\S+)$", documents.configuration("coturn"), re.MULTILINE)


class Coturn:
    """A running server. `changes` maps texts of the documented configuration to their replacements.

    `ports` are the plain one and the one for TLS.
    """

    def __init__(
        self,
        cable: Cable,
        folder: Path,
        changes: Mapping[str, str] = MappingProxyType({}),
        ports: tuple[int, int] = PORTS,
    ) -> None:
        self.cable, self.folder, self.log, self.ports = cable, folder, folder / "coturn.log", ports
        self.write_certificate()
        (folder / "turnserver.conf").write_text(self._configuration(changes))
        self._start()

    def _start(self) -> None:
        own = ["--pidfile=", "--userdb", f"{self.folder}/db"]
        command = [program("turnserver", "coturn"), "-c", f"{self.folder}/turnserver.conf", *own]
        self._process = self.cable.run(*command)
        up = with_patience(lambda: self._answers() or self._process.poll() is not None, START_SECONDS)
        assert up, self.said()
        assert self._process.poll() is None, self.said()

    def restart(self) -> None:
        self.stop()
        self._start()

    def _configuration(self, changes: Mapping[str, str]) -> str:
        ours = {
            "\nlistening-port=3478\n": f"\nlistening-port={self.ports[0]}\n",
            "\ntls-listening-port=443\n": f"\ntls-listening-port={self.ports[1]}\n",
            "203.0.113.9": self.cable.there,
            "2001:db8::9": self.cable.there6,
            "=203.0.113.7\n": f"={self.cable.here}\n",
            "=2001:db8::7\n": f"={self.cable.here6}\n",
            "static-auth-secret=TURN_SECRET": f"static-auth-secret={SECRET}",
            "/etc/turnserver/fullchain.pem": f"{self.folder}/cert.pem",
            "/etc/turnserver/privkey.pem": f"{self.folder}/key.pem",
            "\nsyslog\n": f"\nlog-file={self.log}\nsimple-log\n",
        }
        text = documents.configuration("coturn")
        for theirs, mine in ({**changes, **ours}).items():
            assert theirs in text, theirs
            text = text.replace(theirs, mine)
        return text

    def _answers(self) -> bool:
        """Whether all its ports are there: the one for TLS comes last."""
        with socket.socket() as probe:
            return probe.connect_ex((self.cable.there, self.ports[1])) == 0

    def said(self) -> str:
        """Its log so far."""
        return self.log.read_text(errors="replace") if self.log.exists() else "coturn has written no log"

    def server(self, transport: str = "udp") -> turn.Server:
        """The server for clients that use this transport."""
        return turn.Server(self.cable.there, self.ports[transport == "tls"], transport)

    @property
    def trust(self) -> ssl.SSLContext:
        """A TLS context that trusts only the server's certificate."""
        return ssl.create_default_context(cafile=str(self.folder / "cert.pem"))

    def write_certificate(self) -> None:
        self.public_key = certificate.write(self.folder, NAME, self.cable.there, self.cable.there6)

    def renew_certificate(self) -> None:
        """Renew the certificate as certbot does: new files, then a signal."""
        self.write_certificate()
        self._process.send_signal(signal.SIGUSR2)

    def stop(self) -> None:
        stop(self._process, (signal.SIGTERM, 5.0))


def user(identity: str = "", seconds: float = 600, secret: str = SECRET) -> tuple[str, str]:
    """User name and password that expire in so many seconds; those of a new user if none is named."""
    return turn.credentials(secret, identity or secrets.token_hex(8), int(time.time() + seconds))
