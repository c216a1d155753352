"""The doctor's check of TURN: is each server reached, does it take our credentials, and to whom does it relay?"""

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
    """Ask every server of TURN_URLS for an allocation, as a browser would, and for what it has to refuse."""
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
        mend = "Give coturn a certificate of that name by cert= and pkey=, with its chain."
        return bad(what, f"TLS fails ({getattr(error, 'verify_message', '') or error.reason})", mend)
    except (OSError, TimeoutError) as error:  # with UDP silence is all that one notices
        why = getattr(error, "strerror", None) or "no answer"
        return bad(what, f"nobody answers ({why})", f"Start coturn there, and open {port} in its firewall.")


async def _judge(what: str, ours: Allocation) -> Finding:
    """Whether an allocation reaches the media node, and nobody who is reserved."""
    announced, asked = _announced(), _nodes()
    open_ones = [peer for peer in RESERVED if peer not in announced and await _permits(ours, peer)]
    if open_ones:
        return bad(what, f"it lets members reach {', '.join(open_ones)}", MEND_CONFIGURATION)
    if not asked:
        mend = (
            "Announce an IPv4 address of the media node (MEDIA_ANNOUNCE), and allow it there: browsers relay over IPv4."
        )
        return doubtful(what, "no IPv4 address of a media node is announced that it could relay to", mend)
    shut_ones = [peer for peer in asked if not await _permits(ours, peer)]
    if shut_ones:
        mend = f"Add allowed-peer-ip={shut_ones[0]} to its configuration; 127.0.0.1 cannot be allowed (MEDIA_ANNOUNCE)."
        return bad(what, f"it does not let members reach the media node at {shut_ones[0]}", mend)
    return good(what, "relays to the media node, and not elsewhere")


def _refusal(what: str, code: int) -> Finding:
    if code == UNAUTHORIZED:
        mend = "Set TURN_SECRET to coturn's static-auth-secret, under use-auth-secret; compare the machines' clocks."
        return bad(what, "it does not take our credentials", mend)
    if code == QUOTA_REACHED:
        return bad(what, "it is full", "Raise total-quota and the range of ports of coturn, or add another one.")
    return bad(what, f"it refuses with error {code}", MEND_CONFIGURATION)


def _announced() -> list[str]:
    """The hosts of what is announced; another check tells of what is none."""
    hosts: dict[str, None] = {}
    for text in settings.MEDIA_ANNOUNCE:
        with suppress(ValueError):
            hosts[addresses.parse(text).host] = None
    return list(hosts)


def _nodes() -> list[str]:
    """The announced addresses to which an allocation of IPv4, which browsers ask for, is to relay.

    Beside a public address a private one is for members in the same network: allowed there, it would be a way into the
    server's own."""
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
