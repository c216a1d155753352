"""The doctor finds each fault and says how to fix it."""

import io
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from socketserver import BaseRequestHandler, TCPServer
from threading import Thread
from typing import Any

import msgspec
import pytest
import redis
from django.core.management import call_command
from pytest_django import Settings

from rooms.media.client.probe import STRANGER
from spaces_project.doctor import checks, sound
from spaces_project.doctor.findings import Finding
from tests.rig.machine import free_port
from tests.rig.media.heartbeat import health
from tests.rig.services.smtp import mail_server, silent_server

pytestmark = pytest.mark.django_db(transaction=True)


def free_udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(autouse=True)
def _settings(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_BIND = "127.0.0.1"
    settings.MEDIA_PORT = free_udp_port()
    settings.RECORDINGS_DIR = tmp_path
    settings.ALLOWED_HOSTS = ["localhost", "spaces.example.org"]


def faults(found: Iterator[Finding]) -> list[Finding]:
    wrong = [finding for finding in found if not finding.ok]
    assert all(finding.mend for finding in wrong), "each fault comes with its mend"
    return wrong


def test_a_sound_machine_has_no_fault() -> None:
    out = io.StringIO()
    call_command("doctor", stdout=out)
    assert "0 faults" in out.getvalue()
    assert "FAULT" not in out.getvalue()


def test_a_fault_makes_it_fail_and_is_named_with_its_mend(settings: Settings) -> None:
    settings.PUBLIC_URL = "http://spaces.example.org"
    out = io.StringIO()
    with pytest.raises(SystemExit) as ending:
        call_command("doctor", stdout=out)
    assert ending.value.code == 1
    assert "FAULT    secure context: http://spaces.example.org is not HTTPS" in out.getvalue()
    assert "Put nginx with a certificate in front" in out.getvalue()


# Web


@pytest.mark.parametrize("name", ["SECRET_KEY", "MEDIA_SECRET", "HLS_SECRET"])
@pytest.mark.parametrize("value", ["", "short"])
def test_a_missing_or_short_secret(settings: Settings, name: str, value: str) -> None:
    setattr(settings, name, value)
    assert [finding.what for finding in faults(checks.secrets())] == [name]


@pytest.mark.parametrize("name", ["SECRET_KEY", "MEDIA_SECRET", "TURN_SECRET"])
def test_the_secret_of_the_web_server_opens_nothing_else(settings: Settings, name: str) -> None:
    settings.HLS_SECRET = "a1" * 16
    assert not faults(checks.secrets())
    setattr(settings, name, settings.HLS_SECRET)
    [fault] = faults(checks.secrets())
    assert (fault.what, fault.detail) == ("HLS_SECRET", f"the same as {name}, which the web server must not know")
    assert settings.HLS_SECRET not in fault.detail + fault.mend


def test_no_files_need_no_secret(settings: Settings) -> None:
    settings.HLS, settings.HLS_SECRET = False, ""
    assert not faults(checks.secrets())


def test_a_host_that_the_site_does_not_answer_to(settings: Settings) -> None:
    settings.PUBLIC_URL = "https://other.example.org"
    [fault] = faults(checks.secure_context())
    assert "ALLOWED_HOSTS" in fault.mend


@pytest.mark.parametrize(
    ("proxies", "words"),
    [(["proxy.local"], "not an address"), (["0.0.0.0/0"], "every address is trusted"), ([], "no proxy is trusted")],
)
def test_proxies_that_cannot_be_right(settings: Settings, proxies: list[str], words: str) -> None:
    settings.PUBLIC_URL, settings.TRUSTED_PROXIES = "https://spaces.example.org", proxies
    [fault] = faults(checks.proxies())
    assert words in fault.detail


@contextmanager
def answering(answer: bytes) -> Iterator[int]:
    """Run a server that gives every client the same answer. Yield its port."""

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(4096)
            self.request.sendall(answer)

    with TCPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def test_a_web_that_answers(settings: Settings) -> None:
    with answering(HEALTHY) as settings.WEB_PORT:
        assert faults(checks.web_port()) == []


OK = b"HTTP/1.0 200 OK\r\n\r\n"
HEALTHY = OK + b'{"ok": true, "jobs_age_seconds": 1.0}'


@pytest.mark.parametrize(
    "answer", [b"SSH-2.0-OpenSSH\r\n", b"", OK + b"hello", OK + b"{}", OK + b"[1]", b"HTTP/1.0 503 no\r\n\r\n{}"]
)
def test_a_web_port_on_which_something_else_answers(settings: Settings, answer: bytes) -> None:
    with answering(answer) as settings.WEB_PORT:
        [warning] = faults(checks.web_port())
    assert warning.warning
    assert "WEB_PORT" in warning.mend


def test_a_web_port_without_an_answer(settings: Settings) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))  # and does not listen
        settings.WEB_PORT = probe.getsockname()[1]
        [warning] = faults(checks.web_port())
    assert warning.what == f"web on port {settings.WEB_PORT}"


@pytest.mark.parametrize(
    ("url", "warned"),
    [("", False), ("http://localhost:8000", False), ("https://spaces.example.org", True)],
)
def test_a_public_site_that_sends_no_mail(settings: Settings, url: str, warned: bool) -> None:
    settings.PUBLIC_URL, settings.EMAIL_HOST = url, ""
    found = faults(checks.mail())
    assert [(finding.warning, "EMAIL_HOST" in finding.mend) for finding in found] == ([(True, True)] if warned else [])


def use_mail_server(settings: Settings, port: int) -> None:
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", port, False


def test_a_mail_server_that_answers(settings: Settings) -> None:
    use_mail_server(settings, free_port())
    with mail_server(settings.EMAIL_PORT) as mailbox:
        assert faults(checks.mail()) == []
    assert mailbox.asked == 0


@pytest.mark.parametrize(("tls", "password", "words"), [(True, "", "STARTTLS"), (False, "secret", "AUTH")])
def test_a_mail_server_that_refuses(settings: Settings, tls: bool, password: str, words: str) -> None:
    use_mail_server(settings, free_port())
    settings.EMAIL_USE_TLS, settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = tls, "spaces", password
    with mail_server(settings.EMAIL_PORT):
        (found,) = faults(checks.mail())
    assert words in found.detail
    assert "EMAIL_USE_TLS" in found.mend


def test_a_mail_server_that_says_nothing(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "CONNECT_SECONDS", 0.1)
    with silent_server() as server:
        use_mail_server(settings, server.getsockname()[1])
        (found,) = faults(checks.mail())
    assert not found.warning
    assert "timed out" in found.detail


# Sound


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("spaces.example.org", "is not an IPv4 or IPv6 address"),
        ("0.0.0.0", "no one can reach"),
        ("127.0.0.1", "members are on other machines"),
        ("192.168.1.5", "private address"),
        ("192.168.1.5:40000", "private address"),
        ("fd00::5", "private address"),
        ("100.64.3.2", "private address"),
        ("2001:db8::7", "takes only IPv4"),
        ("203.0.113.7:0", "is not from 1 to 65535"),
    ],
)
def test_announced_addresses_that_members_cannot_reach(settings: Settings, address: str, words: str) -> None:
    settings.PUBLIC_URL, settings.MEDIA_ANNOUNCE = "https://spaces.example.org", [address]
    settings.MEDIA_BIND = "0.0.0.0" if "IPv4" in words else "::"
    [fault] = faults(sound.announced_addresses())
    assert words in fault.detail
    assert not fault.warning


def test_an_ipv4_address_announced_of_a_port_for_ipv6_alone(settings: Settings) -> None:
    settings.MEDIA_BIND, settings.MEDIA_ANNOUNCE = "::1", ["::1", "127.0.0.1"]
    [fault] = faults(sound.announced_addresses())
    assert fault.detail == "127.0.0.1 is IPv4, but MEDIA_BIND=::1 takes only IPv6"
    assert "MEDIA_BIND=::" in fault.mend


def test_a_public_address_that_a_router_passes_on_is_fine_and_said(settings: Settings) -> None:
    settings.PUBLIC_URL, settings.MEDIA_BIND = "https://spaces.example.org", "::"
    settings.MEDIA_ANNOUNCE = ["203.0.113.7", "203.0.113.7:4444", "[2001:db8::7]:4444"]
    found = list(sound.announced_addresses())
    assert [finding.ok for finding in found] == [True] * 3
    assert all("not an address of this machine" in finding.detail for finding in found)


def test_one_public_port_for_several_nodes(settings: Settings) -> None:
    settings.MEDIA_NODES, settings.MEDIA_ANNOUNCE = 2, ["127.0.0.1:4444"]
    [fault] = faults(sound.announced_addresses())
    assert "several nodes" in fault.detail


def test_a_private_address_beside_a_public_one_is_for_those_at_home(settings: Settings) -> None:
    settings.PUBLIC_URL, settings.MEDIA_BIND = "https://spaces.example.org", "0.0.0.0"
    settings.MEDIA_ANNOUNCE = ["203.0.113.7", "192.168.178.20"]
    [_, private] = sound.announced_addresses()
    assert private.ok
    assert "same network" in private.detail
    settings.MEDIA_ANNOUNCE = ["127.0.0.1:4444", "192.168.178.20", "nonsense"]
    assert len(faults(sound.announced_addresses())) == 3


@pytest.mark.parametrize("url", ["https://192.168.1.5", "https://spaces", "https://spaces.home.arpa", ""])
def test_a_private_address_is_fine_if_the_site_is_private_too(settings: Settings, url: str) -> None:
    settings.PUBLIC_URL, settings.MEDIA_BIND = url, "0.0.0.0"
    settings.MEDIA_ANNOUNCE = ["192.168.1.5", "10.1.2.3:4444"]
    assert faults(sound.announced_addresses()) == []


def test_no_announced_address(settings: Settings) -> None:
    settings.MEDIA_ANNOUNCE = []
    assert len(faults(sound.announced_addresses())) == 1


def test_a_free_udp_port_is_listened_on_and_not_called_good() -> None:
    [warning] = faults(sound.udp_port())
    assert warning.warning
    assert warning.detail == "a packet to 127.0.0.1 arrives, but no media node uses the port"
    assert "runspaces" in warning.mend


class Node:
    """A node as the doctor sees it: a UDP port, and a count of strangers behind HTTP."""

    def __init__(self, hears: bool) -> None:
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", 0))
        self.udp.settimeout(0.2)
        node = self

        class Handler(BaseHTTPRequestHandler):
            strangers = 0

            def do_GET(self) -> None:
                if hears and node.heard():
                    Handler.strangers += 1
                body = msgspec.json.encode(health({STRANGER: Handler.strangers}))
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: Any) -> None:
                return None

        self.http = HTTPServer(("127.0.0.1", 0), Handler)
        self.thread = Thread(target=self.http.serve_forever)
        self.thread.start()

    def heard(self) -> bool:
        try:
            return bool(self.udp.recv(2048))
        except TimeoutError:
            return False

    def close(self) -> None:
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()
        self.udp.close()


@pytest.mark.parametrize("hears", [True, False])
def test_a_running_node_shows_whether_the_packet_has_arrived(settings: Settings, hears: bool) -> None:
    node = Node(hears)
    settings.MEDIA_PORT = node.udp.getsockname()[1]
    settings.MEDIA_HTTP_PORT = node.http.server_address[1]
    found = faults(sound.udp_port())
    node.close()
    assert [finding.warning for finding in found] == ([] if hears else [False])


def test_a_public_port_that_is_forwarded_is_the_one_that_is_asked(settings: Settings) -> None:
    """The packet to the announced port arrives nowhere: only a router would forward it."""
    settings.MEDIA_ANNOUNCE = [f"127.0.0.1:{free_udp_port()}"]
    [warning] = faults(sound.udp_port())
    assert warning.warning
    assert f"to port {settings.MEDIA_PORT} of this machine" in warning.mend


def test_both_families_are_asked(settings: Settings) -> None:
    settings.MEDIA_BIND, settings.MEDIA_ANNOUNCE = "::", ["127.0.0.1", "::1"]
    details = [finding.detail for finding in sound.udp_port()]
    arrives = "a packet to {} arrives, but no media node uses the port"
    assert details == [arrives.format("127.0.0.1"), arrives.format("::1")]


def test_a_port_that_something_else_has(settings: Settings) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", settings.MEDIA_PORT))
        settings.MEDIA_HTTP_PORT = 1
        [fault] = faults(sound.udp_port())
    assert "another program uses the port" in fault.detail


@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH\r\n", HEALTHY, OK + b"[]"])
def test_an_http_server_that_is_not_a_nodes(settings: Settings, answer: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other, answering(answer) as settings.MEDIA_HTTP_PORT:
        other.bind(("127.0.0.1", settings.MEDIA_PORT))
        [fault] = faults(sound.udp_port())
    assert "another program uses the port" in fault.detail


# Servers


def test_no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = {"host": "/nonexistent", "dbname": "spaces"}
    monkeypatch.setattr(checks.connection, "get_connection_params", lambda: nowhere)
    [fault] = faults(checks.database())
    assert "DATABASE_URL" in fault.mend


def test_no_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    unreachable = redis.Redis(unix_socket_path="/nonexistent/redis.sock", retry=None)
    monkeypatch.setattr(checks, "redis_client", lambda: unreachable)
    [fault] = faults(checks.redis_server())
    assert "REDIS_URL" in fault.mend


@pytest.mark.parametrize(
    ("about", "words"),
    [
        ({"redis_version": "5.0.14"}, "version 5.0.14"),
        ({"redis_version": "7.0.1", "maxmemory": 10**9, "maxmemory_policy": "allkeys-lru"}, "drops keys"),
    ],
)
def test_a_redis_that_will_not_do(monkeypatch: pytest.MonkeyPatch, about: dict[str, object], words: str) -> None:
    class Client:
        def info(self) -> dict[str, object]:
            return about

    monkeypatch.setattr(checks, "redis_client", Client)
    [fault] = faults(checks.redis_server())
    assert words in fault.detail


def test_wheels_behind_a_public_address_are_a_warning(settings: Settings) -> None:
    settings.PUBLIC_URL, settings.EMBEDDED_POSTGRES = "https://spaces.example.org", True
    [fault] = faults(checks.wheels())
    assert fault.warning


def test_a_storage_that_cannot_be_written(settings: Settings, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    backend = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": blocked}}
    settings.STORAGES = settings.STORAGES | {"recordings": backend}
    [fault] = faults(checks.storage())
    assert "RECORDINGS_DIR" in fault.mend


def test_a_clock_that_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "CLOCKS", {"PostgreSQL": lambda: 0.0})
    [fault] = faults(checks.clock())
    assert "NTP" in fault.mend
