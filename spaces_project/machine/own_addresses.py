"""The addresses at which browsers on this machine reach its media nodes.

Firefox never pairs a loopback address with another one, and leaves loopback addresses out of its candidates. It hears a
node only at the address that the machine has in its network. Packets to that address stay inside the machine.
"""

import socket
from ipaddress import ip_address

LOOPBACK = "127.0.0.1"
ALL_IPV4, ALL = "0.0.0.0", "::"  # noqa: S104
# Addresses for documentation (RFC 5737, RFC 3849), which no machine has. Connecting a UDP socket sends nothing.
ELSEWHERE = {socket.AF_INET: "203.0.113.1", socket.AF_INET6: "2001:db8::1"}


def in_networks() -> list[str]:
    """The addresses from which this machine's packets leave, IPv4 first. Empty if it is in no network."""
    found = (_towards(family, elsewhere) for family, elsewhere in ELSEWHERE.items())
    return [address for address in found if address]


def _towards(family: socket.AddressFamily, elsewhere: str) -> str:
    """The address from which packets to `elsewhere` would leave. Empty if no route leads there."""
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((elsewhere, 9))
            address = str(probe.getsockname()[0])
    except OSError:
        return ""
    own = ip_address(address)
    return "" if own.is_loopback or own.is_link_local or own.is_unspecified else address


def bind_to(addresses: list[str]) -> str:
    """The one address to bind to for packets to loopback and to each of these."""
    if not addresses:
        return LOOPBACK
    return ALL if any(":" in address for address in addresses) else ALL_IPV4
