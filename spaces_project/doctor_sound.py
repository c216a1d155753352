"""The doctor's checks of the way of the sound: are the announced addresses right, and do packets arrive there?"""

import json
import socket
import time
import urllib.request
from collections.abc import Iterator
from http.client import HTTPException
from ipaddress import ip_address
from secrets import token_bytes

from django.conf import settings

from rooms.media import stun
from spaces_project import media_nodes
from spaces_project.findings import Finding, bad, doubtful, good, is_network, is_public_site

WAIT_SECONDS = 2.0
STRANGER = "stun-stranger"  # under which a node counts a check of somebody it does not know
MEND_ADDRESS = "Set MEDIA_ANNOUNCE to the addresses at which browsers reach this machine."


def announced_addresses() -> Iterator[Finding]:
    if not settings.MEDIA_ANNOUNCE:
        yield bad("announced media addresses", "none", MEND_ADDRESS)
    for text in settings.MEDIA_ANNOUNCE:
        yield _announced(text)


def _announced(text: str) -> Finding:
    what = "announced media address"
    if not is_network(text) or "/" in text:
        return bad(what, f"{text} is no address", MEND_ADDRESS)
    address = ip_address(text)
    if address.is_unspecified or address.is_multicast:
        return bad(what, f"{text} cannot be reached by anybody", MEND_ADDRESS)
    if is_public_site() and address.is_loopback:
        return bad(what, f"{text} is this machine, and members are on others", MEND_ADDRESS)
    if is_public_site() and address.is_private:
        return doubtful(what, f"{text} is a private address", "Behind a router, announce the router's public address.")
    return good(what, text)


def udp_port() -> Iterator[Finding]:
    """Send a STUN binding request (RFC 8489) to each announced address and see whether it arrives on the port."""
    ports = {"media": settings.MEDIA_PORT, "media_http": settings.MEDIA_HTTP_PORT}
    try:
        nodes = media_nodes.of(settings.MEDIA_NODES, ports)
    except media_nodes.NoSuchPort as error:
        yield bad("media nodes", str(error), "Set MEDIA_PORT and MEDIA_HTTP_PORT lower, or MEDIA_NODES.")
        return
    for node in nodes:
        for text in settings.MEDIA_ANNOUNCE:
            if is_network(text):  # if not, that has been said already
                yield _arrival(text, node)


def _arrival(address: str, node: media_nodes.MediaNode) -> Finding:
    port = node.port
    what = f"UDP port {port}"
    with _socket(address) as there:
        node_runs = not _takes(there, settings.MEDIA_BIND if there.family == socket.AF_INET else "::", port)
        why = _why_node_is_deaf(address, node) if node_runs else _why_unreachable(there, address, port)
    if why and _is_own(address):
        return bad(what, f"{address}: {why}", f"Open UDP port {port} in the firewall; check MEDIA_BIND.")
    if why:
        mend = f"Forward UDP port {port} in the router; many do not let one test that from inside."
        return doubtful(what, f"{address} is not an address of this machine: {why}", mend)
    if not node_runs:
        mend = "Start `manage.py runspaces` or `runmedia`, or set MEDIA_PORT to the port of the node that runs."
        return doubtful(what, f"a packet to {address} arrives, but no media node has the port", mend)
    return good(what, f"a packet to {address} arrives at the node")


def _takes(sock: socket.socket, host: str, port: int) -> bool:
    """Whether the port is free, and taken by `sock` now."""
    try:
        sock.bind((host, port))
    except OSError:
        return False
    return True


def _why_unreachable(there: socket.socket, address: str, port: int) -> str:
    """Why a packet to the address does not arrive at `there`, or an empty string."""
    there.settimeout(WAIT_SECONDS)
    request = _request()
    try:
        _send(address, port, request)
        return "" if there.recv(2048) == request else "something else arrives"
    except OSError as error:
        return f"it does not arrive ({error.strerror or error})"


def _why_node_is_deaf(address: str, node: media_nodes.MediaNode) -> str:
    """A node answers only those it knows, but counts the others: the count tells that the packet has arrived."""
    try:
        before = _strangers(node)
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            _send(address, node.port, _request())
            if _strangers(node) > before:
                return ""
            time.sleep(0.05)
    except (OSError, ValueError, LookupError, TypeError, HTTPException) as error:  # whatever strangers answer
        return f"the port is taken, and not by a media node of these settings ({error})"
    return "it does not arrive at the media node"


def _strangers(node: media_nodes.MediaNode) -> int:
    """How many checks of strangers a node of this machine has counted."""
    request = urllib.request.Request(
        f"http://{settings.MEDIA_HTTP_HOST}:{node.http_port}/health",
        headers={"Authorization": f"Bearer {settings.MEDIA_SECRET}"},
    )
    with urllib.request.urlopen(request, timeout=WAIT_SECONDS) as answer:  # noqa: S310 (the node's own address)
        return int(json.load(answer)["drops"].get(STRANGER, 0))


def _request() -> bytes:
    """A binding request of nobody."""
    return stun.build(stun.REQUEST, token_bytes(12), stun.attribute(stun.USERNAME, b"doctor:doctor"), b"doctor")


def _send(address: str, port: int, data: bytes) -> None:
    with _socket(address) as here:
        here.sendto(data, (address, port))


def _is_own(address: str) -> bool:
    """Whether one of this machine's interfaces has the address."""
    with _socket(address) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True


def _socket(address: str) -> socket.socket:
    return socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
