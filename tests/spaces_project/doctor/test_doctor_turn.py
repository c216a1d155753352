"""The doctor at TURN servers: a real coturn, and each fault with its fix."""

import asyncio
import socket
from pathlib import Path
from threading import Thread

import pytest
from pytest_django import Settings

from spaces_project.doctor import turn
from spaces_project.doctor.findings import Finding
from tests.rig.services.coturn import SECRET, Coturn, denied_ranges, user
from tests.rooms.turn.client import allocated

pytestmark = [pytest.mark.alone, pytest.mark.needs_coturn, pytest.mark.needs_network]
TRANSPORTS = ["udp", "tcp", "tls"]


def url(coturn: Coturn, transport: str) -> str:
    if transport == "tls":
        return f"turns:{coturn.cable.there}:{coturn.ports[1]}?transport=tcp"
    return f"turn:{coturn.cable.there}:{coturn.ports[0]}?transport={transport}"


@pytest.fixture(autouse=True)
def _settings(settings: Settings, coturn: Coturn, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.TURN_SECRET, settings.TURN_CREDENTIAL_SECONDS = SECRET, 600
    settings.TURN_URLS = [url(coturn, "udp")]
    settings.MEDIA_ANNOUNCE = [coturn.cable.here, "fd00::7"]
    monkeypatch.setenv("SSL_CERT_FILE", str(coturn.folder / "cert.pem"))


def found() -> list[Finding]:
    findings = list(turn.turn_servers())
    assert all(finding.mend for finding in findings if not finding.ok), "each fault comes with its mend"
    return findings


def fault() -> Finding:
    [finding] = found()
    assert not finding.ok
    return finding


def test_without_servers_there_is_nothing_to_ask(settings: Settings) -> None:
    settings.TURN_URLS = []
    assert [(finding.ok, finding.detail) for finding in found()] == [(True, "none named")]


def test_a_server_as_documented_is_good_by_each_transport(settings: Settings, coturn: Coturn) -> None:
    settings.TURN_URLS = [url(coturn, transport) for transport in TRANSPORTS]
    for finding in found():
        print(finding)
        assert finding.ok
    assert len(found()) == 3


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_another_secret(settings: Settings, coturn: Coturn, transport: str) -> None:
    settings.TURN_SECRET, settings.TURN_URLS = "0" * 64, [url(coturn, transport)]
    assert "refuses our credentials" in fault().detail
    assert "static-auth-secret" in fault().mend


def test_a_short_secret(settings: Settings, coturn: Coturn) -> None:
    settings.TURN_SECRET = "short"
    assert found()[0].what == "TURN_SECRET"


def test_a_name_that_does_not_resolve(settings: Settings) -> None:
    settings.TURN_URLS = ["turn:nowhere.invalid"]
    assert "does not resolve" in fault().detail


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_no_server_answers(settings: Settings, coturn: Coturn, transport: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn, "WAIT_SECONDS", 1.0)
    settings.TURN_URLS = [url(coturn, transport).replace(":3478", ":3999").replace(":443", ":3999")]
    assert "no server answers" in fault().detail
    assert f"3999/{'udp' if transport == 'udp' else 'tcp'}" in fault().mend


def test_another_program_answers(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn, "WAIT_SECONDS", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.TURN_URLS = [f"turns:127.0.0.1:{server.getsockname()[1]}"]

        def chat() -> None:
            taken, _ = server.accept()
            with taken:
                taken.recv(4096)
                taken.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = Thread(target=chat)
        thread.start()
        assert "TLS fails" in fault().detail
        thread.join()


def test_a_certificate_that_is_not_trusted(settings: Settings, coturn: Coturn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    settings.TURN_URLS = [url(coturn, "tls")]
    assert "TLS fails" in fault().detail
    assert "cert=" in fault().mend


def test_a_node_that_is_not_allowed(settings: Settings, coturn: Coturn) -> None:
    settings.MEDIA_ANNOUNCE = [coturn.cable.here, coturn.cable.other]
    assert f"allowed-peer-ip={coturn.cable.other}" in fault().mend


def test_a_node_that_is_not_allowed_and_announced_with_its_port(settings: Settings, coturn: Coturn) -> None:
    settings.MEDIA_ANNOUNCE = [f"{coturn.cable.other}:3478"]
    assert f"allowed-peer-ip={coturn.cable.other} " in fault().mend
    settings.MEDIA_ANNOUNCE = [f"{coturn.cable.here}:3478"]
    assert found()[0].ok


ASKED = [
    (["203.0.113.7:3478", "192.168.178.20"], ["203.0.113.7"]),
    (["192.168.178.20", "[2001:db8::7]:3478"], []),
    (["192.168.178.20:40000", "192.168.178.20:40010", "nonsense"], ["192.168.178.20"]),
]


@pytest.mark.parametrize(("announced", "asked"), ASKED)
def test_private_addresses_are_asked_for_if_no_public_one_is_announced(
    settings: Settings, announced: list[str], asked: list[str]
) -> None:
    settings.MEDIA_ANNOUNCE = announced
    assert turn._nodes() == asked


def test_a_server_that_has_no_node_to_relay_to(settings: Settings, coturn: Coturn) -> None:
    settings.MEDIA_ANNOUNCE = ["2001:db8::7"]
    assert (fault().warning, fault().detail) == (
        True,
        "no IPv4 address of a media node is announced",
    )


def test_a_server_that_lets_members_into_the_private_network(
    settings: Settings, coturn: Coturn, tmp_path: Path
) -> None:
    """As coturn comes, it denies loopback alone."""
    nothing = {f"denied-peer-ip={denied}\n": "" for denied in denied_ranges()}
    running = Coturn(coturn.cable, tmp_path, nothing, ports=(3484, 448))
    try:
        settings.TURN_URLS = [url(running, "udp")]
        assert fault().detail.startswith("it lets members reach 10.255.255.254, 169.254.169.254")
        assert "docs/operating/turn.md" in fault().mend
    finally:
        running.stop()


async def test_a_server_that_is_full(settings: Settings, coturn: Coturn, tmp_path: Path) -> None:
    running = Coturn(coturn.cable, tmp_path, {"user-quota=24": "user-quota=1"}, ports=(3486, 450))
    settings.TURN_URLS = [url(running, "udp")]
    try:
        async with allocated(running, user("doctor")):
            assert (await asyncio.to_thread(fault)).detail == "it is full"
    finally:
        running.stop()
