"""The doctor's check of TURN: can each server be reached, does it accept our credentials, and where does it relay?"""

import asyncio
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import ip_address

from django.conf import settings

from rooms.media.contract import addresses, turn
from spaces_project.doctor.findings import Finding, bad, doubtful, good
from spaces_project.doctor.sound import is_public
from spaces_project.doctor.turn_client import (
    FORBIDDEN,
    QUOTA_REACHED,
    UNAUTHORIZED,
    Allocation,
    Refused,
    allocation,
    code_of,
)
from spaces_project.env import LEAST_SECRET

WAIT_SECONDS = 5.0
RESERVED = ("10.255.255.254", "127.0.0.1", "169.254.169.254", "172.31.255.254", "192.168.255.254")
MEND_CONFIGURATION = "Take the configuration of coturn from docs/operating/turn.md."


def turn_servers() -> Iterator[Finding]:
    """Ask every server of TURN_URLS for an allocation, like a browser, and for peers that it has to refuse."""
    if not settings.TURN_URLS:
        yield good("TURN servers", "none named")
    elif len(settings.TURN_SECRET) < LEAST_SECRET:
        yield bad("TURN_SECRET", "short", "Set TURN_SECRET, and coturn's static-auth-secret, to 50 random characters.")
    for url in settings.TURN_URLS:
        yield asyncio.run(_look_at(url))


async def _look_at(url: str) -> Finding:
    what, server = f"TURN server {url}", turn.parse(url)
    port = f"{server.port}/{'udp' if server.transport == 'udp' else 'tcp'}"
    user = turn.credentials(settings.TURN_SECRET, "doctor", int(time.time()) + settings.TURN_CREDENTIAL_SECONDS)
    try:
        async with asyncio.timeout(WAIT_SECONDS), allocation(server, user) as ours:
            return await _judge(what, ours)
    except Refused as refused:
        return _refusal(what, code_of(refused))
    except socket.gaierror as error:
        return bad(what, f"{server.host} does not resolve ({error.strerror})", "Check the name in TURN_URLS and DNS.")
    except ssl.SSLError as error:
        mend = "Give coturn a certificate for this name by cert= and pkey=, with its chain."
        return bad(what, f"TLS fails ({getattr(error, 'verify_message', '') or error.reason})", mend)
    except (OSError, TimeoutError) as error:  # with UDP, silence is the only sign
        why = getattr(error, "strerror", None) or "no answer"
        return bad(what, f"no server answers ({why})", f"Start coturn there, and open {port} in its firewall.")


async def _judge(what: str, ours: Allocation) -> Finding:
    """Whether an allocation reaches the media node, and no reserved address."""
    announced, asked = _announced(), _nodes()
    open_ones = [peer for peer in RESERVED if peer not in announced and await _permits(ours, peer)]
    if open_ones:
        return bad(what, f"it lets members reach {', '.join(open_ones)}", MEND_CONFIGURATION)
    if not asked:
        mend = (
            "Announce an IPv4 address of the media node (MEDIA_ANNOUNCE) and allow it there. Browsers relay over IPv4."
        )
        return doubtful(what, "no IPv4 address of a media node is announced", mend)
    shut_ones = [peer for peer in asked if not await _permits(ours, peer)]
    if shut_ones:
        mend = f"Add allowed-peer-ip={shut_ones[0]} to its configuration. 127.0.0.1 cannot be allowed (MEDIA_ANNOUNCE)."
        return bad(what, f"it does not let members reach the media node at {shut_ones[0]}", mend)
    return good(what, "relays to the media node, and not elsewhere")


def _refusal(what: str, code: int) -> Finding:
    if code == UNAUTHORIZED:
        mend = "Set TURN_SECRET to coturn's static-auth-secret, with use-auth-secret. Compare the machines' clocks."
        return bad(what, "it refuses our credentials", mend)
    if code == QUOTA_REACHED:
        return bad(what, "it is full", "Raise total-quota and the range of ports of coturn, or add another server.")
    return bad(what, f"it refuses with error {code}", MEND_CONFIGURATION)


def _announced() -> list[str]:
    """The announced hosts. Another check reports what is not an address."""
    hosts: dict[str, None] = {}
    for text in settings.MEDIA_ANNOUNCE:
        with suppress(ValueError):
            hosts[addresses.parse(text).host] = None
    return list(hosts)


def _nodes() -> list[str]:
    """The announced addresses to which an IPv4 allocation, which browsers ask for, has to relay.

    A private address beside a public one is for members in the same network. TURN must not relay to it: that would
    open the server's own network.
    """
    hosts = _announced()
    public = [host for host in hosts if is_public(host)]
    return [host for host in public or hosts if ip_address(host).version == 4]


async def _permits(ours: Allocation, peer: str) -> bool:
    try:
        await ours.permit(peer)
    except Refused as refused:
        if code_of(refused) == FORBIDDEN:
            return False
        raise
    return True
