"""The doctor's checks of the path of the sound: are the announced addresses right, and do packets arrive there?"""

import socket
import time
import urllib.request
from collections.abc import Iterator
from http.client import HTTPException
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

import msgspec
from django.conf import settings

from rooms.media.client.probe import STRANGER, stranger_check
from rooms.media.contract import addresses
from rooms.media.contract.health import Health
from rooms.media.contract.keys import bearer
from spaces_project.doctor.findings import Finding, bad, doubtful, good, is_on_the_internet, is_public_site
from spaces_project.machine import media_nodes

WAIT_SECONDS = 2.0
MEND_ADDRESS = "Set MEDIA_ANNOUNCE to the addresses at which browsers reach this machine."
MEND_PORTS = "Forward the same ports and announce only the address, or start one node."
MEND_PRIVATE = (
    "Behind a router, announce the router's public address, and forward the UDP port"
    " (docs/operating/one-machine.md#behind-a-home-router)."
)
MEND_SHARED = (
    "The provider shares this address (CGNAT), so nothing can be forwarded."
    " Ask for an address of your own, or use IPv6."
)
PRIVATE = {ip_network(network): MEND_PRIVATE for network in (
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7", "fe80::/10",
)} | {ip_network("100.64.0.0/10"): MEND_SHARED}  # fmt: skip


def announced_addresses() -> Iterator[Finding]:
    if not settings.MEDIA_ANNOUNCE:
        yield bad("announced media addresses", "none", MEND_ADDRESS)
    for text in settings.MEDIA_ANNOUNCE:
        yield _announced(text)


def _announced(text: str) -> Finding:
    what = "announced media address"
    try:
        host, port = addresses.parse(text)
    except ValueError as error:
        return bad(what, str(error), MEND_ADDRESS)
    if port is not None and settings.MEDIA_NODES != 1:
        return bad(what, f"{text} has a port, but there are several nodes", MEND_PORTS)
    family, bind = _family(host), settings.MEDIA_BIND
    if bind != "::" and _family(bind) != family:
        detail = f"{text} is {family}, but MEDIA_BIND={bind} takes only {_family(bind)}"
        return bad(what, detail, "Set MEDIA_BIND=::, which takes IPv4 and IPv6.")
    return _announced_to_others(what, text, host) if is_public_site() else good(what, text)


def _family(host: str) -> str:
    return "IPv6" if ":" in host else "IPv4"


def _announced_to_others(what: str, text: str, host: str) -> Finding:
    """The finding for an address that members on other machines use."""
    if ip_address(host).is_loopback:
        return bad(what, f"{text} is this machine, but members are on other machines", MEND_ADDRESS)
    network = _private_network(host)
    if network is not None and is_on_the_internet():
        if not any(is_public(other) for other in settings.MEDIA_ANNOUNCE):
            return bad(what, f"{text} is a private address, but PUBLIC_URL is public", PRIVATE[network])
        return good(what, f"{text}, for members in the same network")
    if not _is_own(host):
        return good(what, f"{text}, not an address of this machine: a router has to forward packets (1:1 NAT)")
    return good(what, text)


def _private_network(host: str) -> IPv4Network | IPv6Network | None:
    return next((network for network in PRIVATE if ip_address(host) in network), None)


def is_public(text: str) -> bool:
    """Whether an announced address looks reachable from everywhere."""
    try:
        host = addresses.parse(text).host
    except ValueError:
        return False
    return not ip_address(host).is_loopback and _private_network(host) is None


def udp_port() -> Iterator[Finding]:
    """Send a STUN binding request (RFC 8489) to each announced address, and check that it arrives at the port."""
    ports = {"media": settings.MEDIA_PORT, "media_http": settings.MEDIA_HTTP_PORT}
    try:
        nodes = media_nodes.of(settings.MEDIA_NODES, ports)
    except media_nodes.NoSuchPort as error:
        yield bad("media nodes", str(error), "Set MEDIA_PORT and MEDIA_HTTP_PORT lower, or MEDIA_NODES.")
        return
    for node in nodes:
        for text in settings.MEDIA_ANNOUNCE:
            yield from _arrivals(text, node)


def _arrivals(text: str, node: media_nodes.MediaNode) -> Iterator[Finding]:
    try:
        host, port = addresses.parse(text).at(node.port)
    except ValueError:  # another check reports it
        return
    try:
        yield _arrival(host, port, node)
    except OSError as error:  # a machine without IPv6
        yield bad(f"UDP port {port}", f"{host}: {error.strerror}", MEND_ADDRESS)


def _arrival(address: str, port: int, node: media_nodes.MediaNode) -> Finding:
    """Whether a packet to this address and port reaches the node's port."""
    what, here = f"UDP port {port}", node.port
    with _socket(address) as there:
        node_runs = not _takes(there, _bound_to(address), here)
        why = _why_not_at_node(address, port, node) if node_runs else _why_unreachable(there, address, port)
    if why and (port != here or not _is_own(address)):
        onward = f"{port} to port {here} of this machine" if port != here else f"{port}"
        mend = f"Forward UDP port {onward} in the router. Many routers do not allow a test from inside."
        whose = "" if _is_own(address) else " is not an address of this machine"
        return doubtful(what, f"{address}{whose}: {why}", mend)
    if why:
        return bad(what, f"{address}: {why}", f"Open UDP port {port} in the firewall; check MEDIA_BIND.")
    if not node_runs:
        mend = "Start `manage.py runspaces` or `runmedia`, or set MEDIA_PORT to the port of the running node."
        return doubtful(what, f"a packet to {address} arrives, but no media node uses the port", mend)
    return good(what, f"a packet to {address} arrives at the node")


def _bound_to(address: str) -> str:
    """MEDIA_BIND, for a socket of this address's family."""
    if _family(settings.MEDIA_BIND) == _family(address):
        return str(settings.MEDIA_BIND)
    return "::" if ":" in address else "0.0.0.0"  # noqa: S104


def _takes(sock: socket.socket, host: str, port: int) -> bool:
    """Whether the port was free, so that `sock` has it now."""
    try:
        sock.bind((host, port))
    except OSError:
        return False
    return True


def _why_unreachable(there: socket.socket, address: str, port: int) -> str:
    """Why a packet to the address does not arrive at `there`, or an empty string."""
    there.settimeout(WAIT_SECONDS)
    request = stranger_check()
    try:
        _send(address, port, request)
        return "" if there.recv(2048) == request else "something else arrives"
    except OSError as error:
        return f"it does not arrive ({error.strerror or error})"


def _why_not_at_node(address: str, port: int, node: media_nodes.MediaNode) -> str:
    """Why a packet to the address does not arrive at the node. The node counts strangers, which shows what arrives."""
    try:
        before = _strangers(node)
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            _send(address, port, stranger_check())
            if _strangers(node) > before:
                return ""
            time.sleep(0.05)
    except (OSError, ValueError, LookupError, TypeError, HTTPException) as error:  # another program may answer anything
        return f"another program uses the port, or a media node with other settings ({error})"
    return "it does not arrive at the media node"


def _strangers(node: media_nodes.MediaNode) -> int:
    """How many STUN checks of strangers a node of this machine has counted."""
    request = urllib.request.Request(
        f"http://{settings.MEDIA_HTTP_HOST}:{node.http_port}/health",
        headers={"Authorization": bearer(settings.MEDIA_SECRET)},
    )
    with urllib.request.urlopen(request, timeout=WAIT_SECONDS) as answer:  # noqa: S310 (the node's own address)
        return msgspec.json.decode(answer.read(), type=Health).drops.get(STRANGER, 0)


def _send(address: str, port: int, data: bytes) -> None:
    with _socket(address) as here:
        here.sendto(data, (address, port))


def _is_own(address: str) -> bool:
    """Whether one of this machine's interfaces has the address."""
    try:
        with _socket(address) as probe:
            probe.bind((address, 0))
    except OSError:
        return False
    return True


def _socket(address: str) -> socket.socket:
    return socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
