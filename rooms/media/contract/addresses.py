"""The addresses at which browsers reach a node, as an operator writes them: ADDRESS, ADDRESS:PORT or [IPv6]:PORT.

Write a port only if it differs from the node's own, for example if a router forwards another port.
"""

import re
from collections.abc import Sequence
from ipaddress import IPv6Address, ip_address
from typing import NamedTuple

MOST_PORT = 65_535
_WITH_PORT = re.compile(r"(?:\[([^\[\]]*:[^\[\]]*)\]|([^:\[\]]+))(?::([0-9]+))?\Z")


class Announced(NamedTuple):
    """One address for browsers; `port` is None for the port that the node listens on."""

    host: str
    port: int | None = None

    def at(self, port: int) -> tuple[str, int]:
        """Host and port of a node that listens on `port`."""
        return self.host, self.port or port


def parse(text: str) -> Announced:
    """Read one address. Raises ValueError, which says why, if no browser could reach it."""
    found = _WITH_PORT.match(text)
    host, port = (found[1] or found[2], found[3]) if found else (text, None)
    if port is not None and not 1 <= int(port) <= MOST_PORT:
        raise ValueError(f"the port of {text} is not from 1 to {MOST_PORT}")
    return Announced(_host(host, text), int(port) if port else None)


def _host(host: str, text: str) -> str:
    try:
        address = ip_address(host)
    except ValueError:
        raise ValueError(f"{text} is not an IPv4 or IPv6 address, alone or as ADDRESS:PORT or [IPv6]:PORT") from None
    if address.is_unspecified or address.is_multicast or host == "255.255.255.255":
        raise ValueError(f"no one can reach {host}")
    if isinstance(address, IPv6Address) and (address.scope_id or address.ipv4_mapped):
        raise ValueError(f"{host} means something on this machine only")
    return str(address)


def parse_all(texts: Sequence[str]) -> list[Announced]:
    """Read all addresses, best first. Raises ValueError if there is none, or if one is wrong or named twice."""
    found = [parse(text) for text in texts]
    if not found:
        raise ValueError("no address is named")
    for place, one in enumerate(found):
        if one in found[:place]:
            raise ValueError(f"{texts[place]} is named twice")
    return found
