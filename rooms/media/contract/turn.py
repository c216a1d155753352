"""TURN servers as browsers know them (RFC 7065), and credentials that expire.

The credentials are those of draft-uberti-behave-turn-rest-00, which coturn calls `use-auth-secret`. They are made from
a secret that is shared with the server, so the server needs no list of users.
"""

import base64
import hmac
import re
from typing import NamedTuple

_URL = re.compile(
    r"(?P<scheme>turns?):(?P<host>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+)(?::(?P<port>\d{1,5}))?(?:\?transport=(?P<transport>udp|tcp))?"
)
_PORTS = {"turn": 3478, "turns": 5349}


class Server(NamedTuple):
    """A TURN server. `transport` is udp, tcp, or tls (over TCP)."""

    host: str
    port: int
    transport: str


def parse(url: str) -> Server:
    """Read a URL such as `turns:turn.example.org:443?transport=tcp`. ValueError says what is wrong with it."""
    found = _URL.fullmatch(url)
    if found is None:
        raise ValueError("a TURN server is written as turn:HOST:PORT?transport=udp, turn:...=tcp or turns:...=tcp")
    scheme, port = found["scheme"], int(found["port"] or _PORTS[found["scheme"]])
    if not 0 < port < 65536:
        raise ValueError(f"{port} is not a port")
    if scheme == "turns" and found["transport"] == "udp":
        raise ValueError("browsers speak TLS with a TURN server only over TCP")
    transport = "tls" if scheme == "turns" else found["transport"] or "udp"
    return Server(found["host"].strip("[]"), port, transport)


def credentials(secret: str, identity: str, expires: int) -> tuple[str, str]:
    """User name and password for `identity`, valid until `expires` in Unix seconds."""
    username = f"{expires}:{identity}"
    return username, base64.b64encode(hmac.digest(secret.encode(), username.encode(), "sha1")).decode()
