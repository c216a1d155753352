"""Who may use coturn: only members with credentials of ours that have not ended."""

import asyncio
import socket
import ssl
from collections.abc import Callable

import pytest
from aioice.stun import Method

from spaces_project.machine.processes import with_patience
from tests.rig.services.coturn import NAME, SECRET, Coturn, user
from tests.rooms.turn.client import IPV4, TCP_TRANSPORT, Node, allocated, client

pytestmark = [pytest.mark.alone, pytest.mark.needs_coturn, pytest.mark.needs_network]
UNAUTHORIZED, TCP_NOT_ALLOWED = 401, 442
SILENT_SECONDS = 3.0


def end(credentials: tuple[str, str]) -> int:
    return int(credentials[0].partition(":")[0])


STRANGERS: dict[str, Callable[[], tuple[str, str]]] = {
    "no credentials": lambda: ("", ""),
    "expired": lambda: user("dee", seconds=-1),
    "of another secret": lambda: user("dee", secret="0" * 64),
    "another member's password": lambda: (f"{end(user('dee'))}:sol", user("dee")[1]),
    "made longer": lambda: (f"{end(user('dee')) + 3600}:dee", user("dee")[1]),
    "without an end": lambda: ("dee", user("dee")[1]),
    "of the site": lambda: ("sol", "correct horse battery"),
}


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
@pytest.mark.parametrize("who", STRANGERS)
async def test_without_our_credentials_there_is_nothing(coturn: Coturn, who: str, transport: str) -> None:
    async with client(coturn, STRANGERS[who](), transport) as stranger:
        assert await stranger.allocate() == UNAUTHORIZED


async def test_credentials_that_ended_open_nothing_new_and_cut_nothing_off(coturn: Coturn) -> None:
    """A Space may be longer than they last."""
    short, node = user("sol", seconds=2), Node(coturn.cable.here)
    async with allocated(coturn, short) as sol, asyncio.timeout(30):
        code = 0
        while code != UNAUTHORIZED:
            async with client(coturn, short) as late:
                code = await late.allocate()
        assert await sol.code_of(Method.REFRESH, LIFETIME=600) == 0
        await sol.send(b"sound", node.place)
        assert await sol.got.get() == b"dnuos"
    node.close()


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
async def test_no_one_is_relayed_to_by_tcp(coturn: Coturn, transport: str) -> None:
    async with client(coturn, user(), transport) as member:
        assert await member.allocate(IPV4, TCP_TRANSPORT) == TCP_NOT_ALLOWED


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize(
    ("version", "agreed"),
    [(ssl.TLSVersion.TLSv1, False), (ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True)],
)
def test_old_versions_of_tls_are_not_agreed_on(coturn: Coturn, version: ssl.TLSVersion, agreed: bool) -> None:
    """coturn then says nothing for a minute, and closes."""
    trust = coturn.trust
    trust.set_ciphers("ALL:@SECLEVEL=0")
    trust.minimum_version = trust.maximum_version = version
    with socket.create_connection((coturn.cable.there, 443), timeout=SILENT_SECONDS) as plain:
        try:
            trust.wrap_socket(plain, server_hostname=NAME).close()
            shaken = True
        except (ssl.SSLError, OSError):
            shaken = False
    assert shaken == agreed


def test_a_new_certificate_is_taken_by_a_signal(coturn: Coturn) -> None:
    before = coturn.trust
    coturn.renew_certificate()

    def is_new() -> bool:
        with socket.create_connection((coturn.cable.there, 443)) as plain:
            try:
                before.wrap_socket(plain, server_hostname=NAME).close()
            except ssl.SSLCertVerificationError:
                return True
        return False

    assert with_patience(is_new, 30)


async def test_no_password_reaches_coturns_log(coturn: Coturn) -> None:
    name, password = user("lior")
    node = Node(coturn.cable.here)
    async with allocated(coturn, (name, password)) as lior:
        await lior.send(b"sound", node.place)
        await lior.got.get()
    node.close()
    async with client(coturn, (name, "wrong")) as dee:
        assert await dee.allocate() == UNAUTHORIZED
    assert name in coturn.said()
    assert password not in coturn.said()
    assert SECRET not in coturn.said()
