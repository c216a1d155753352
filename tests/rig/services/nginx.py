"""nginx as docs/operating/ has it, started as it stands there but for names, ports and paths; and a client of it."""

import os
import shutil
import signal
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path

from spaces_project.machine.processes import spawn, stop, with_patience
from tests.rig import documents
from tests.rig.services import certificate

HOST, CDN = "spaces.example.org", "cdn.example.org"
PATIENCE = 60.0
HLS_SECRET = "a1b2c3d4" * 4


def answers(port: int) -> Callable[[], bool]:
    def asked() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    return asked


@dataclass
class Site:
    """An nginx, perhaps with a daphne behind it, and the cookie of a member who is logged in there."""

    folder: Path
    https: int
    http: int = 0
    direct: int = 0
    cookie: str = ""
    host: str = HOST
    pages: str = ""  # their origin, if it is another one
    spki: str = ""  # the digest of its public key, for Chromium

    @property
    def url(self) -> str:
        return f"https://{self.host}:{self.https}"


def configuration(folder: Path, site: Site) -> str:
    """The documented lines with our ports and paths."""
    ours = {
        "listen 80;": f"listen 127.0.0.1:{site.http};",
        "listen [::]:80;": "",
        "listen 443 ssl http2;": f"listen 127.0.0.1:{site.https} ssl http2;",
        "listen [::]:443 ssl http2;": "",
        "server 127.0.0.1:8000;": f"server 127.0.0.1:{site.direct};",
        "/etc/letsencrypt/live/spaces.example.org/fullchain.pem": f"{folder}/cert.pem",
        "/etc/letsencrypt/live/spaces.example.org/privkey.pem": f"{folder}/key.pem",
        "/srv/spaces/spaces/var/static/": f"{folder}/var/static/",
        "/srv/spaces/spaces/var/hls/": f"{folder}/var/hls/",
        "https://spaces.example.org always;": f"{site.pages or site.url} always;",
        "change-me": HLS_SECRET,
    }
    return framed(folder, changed(documents.configuration("nginx"), ours))


def edge_configuration(edge: Site, origin: Site) -> str:
    """The documented lines with our ports and paths."""
    ours = {
        "listen 443 ssl http2;": f"listen 127.0.0.1:{edge.https} ssl http2;",
        "listen [::]:443 ssl http2;": "",
        "/etc/letsencrypt/live/cdn.example.org/fullchain.pem": f"{edge.folder}/cert.pem",
        "/etc/letsencrypt/live/cdn.example.org/privkey.pem": f"{edge.folder}/key.pem",
        "/etc/ssl/certs/ca-certificates.crt": f"{origin.folder}/cert.pem",
        "/var/cache/nginx/spaces": f"{edge.folder}/kept",
        "server spaces.example.org:443;": f"server 127.0.0.1:{origin.https};",
        "https://spaces.example.org always;": f"{origin.pages or origin.url} always;",
        "change-me": HLS_SECRET,
    }
    return framed(edge.folder, changed(documents.configuration("nginx_edge"), ours))


def changed(text: str, ours: dict[str, str]) -> str:
    """The lines with ours for theirs, each of which has to be there once."""
    for theirs, mine in ours.items():
        assert text.count(theirs) == 1, theirs
        text = text.replace(theirs, mine)
    return text


def framed(folder: Path, text: str) -> str:
    """The lines inside the frame that Debian's nginx.conf gives them."""
    user = "user root;" if os.geteuid() == 0 else ""  # the test's folder is closed to www-data
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return (
        f"{user} daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; worker_processes 1;"
        f"events {{}} http {{ include /etc/nginx/mime.types; access_log off; {temporary}\n{text}}}\n"
    )


def nginx_program() -> str:
    found = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    assert found, "nginx is missing: apt-get install nginx-light"
    return found


@contextmanager
def running(site: Site, text: str) -> Iterator[Site]:
    """The nginx with this configuration."""
    site.spki = certificate.write(site.folder, site.host)
    (site.folder / "nginx.conf").write_text(text)
    nginx = spawn([nginx_program(), "-p", str(site.folder), "-c", str(site.folder / "nginx.conf")])
    try:
        assert with_patience(answers(site.https), PATIENCE), _errors(site.folder)
        yield site
    finally:
        stop(nginx, (signal.SIGTERM, 5.0))


def _errors(folder: Path) -> str:
    log = folder / "error.log"
    return log.read_text() if log.exists() else "nginx has written no log"


def ask(
    site: Site, path: str, port: int | None = None, headers: dict[str, str] | None = None, body: bytes = b""
) -> HTTPResponse:
    """One GET, or a POST with a body, by TLS unless a plain `port` is named: the certificate has to be the host's."""
    sent = {"Host": f"{site.host}:{port or site.https}", "Connection": "close"} | (headers or {})
    if body:
        sent["Content-Length"] = str(len(body))
    request = f"{'POST' if body else 'GET'} {path} HTTP/1.1"
    lines = [request, *(f"{name}: {value}" for name, value in sent.items()), "", ""]
    with socket.create_connection(("127.0.0.1", port or site.https), timeout=PATIENCE) as plain:
        trust = ssl.create_default_context(cafile=str(site.folder / "cert.pem"))
        wire = plain if port else trust.wrap_socket(plain, server_hostname=site.host)
        with wire:
            wire.sendall("\r\n".join(lines).encode() + body)
            response = HTTPResponse(wire)
            response.begin()
            response.close()
            return response
