"""URLs and credentials of TURN servers."""

import base64
import hashlib
import hmac

import pytest

from rooms.media.contract import turn
from rooms.media.contract.turn import Server


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("turn:turn.example.org", Server("turn.example.org", 3478, "udp")),
        ("turn:turn.example.org:3479?transport=udp", Server("turn.example.org", 3479, "udp")),
        ("turn:203.0.113.9?transport=tcp", Server("203.0.113.9", 3478, "tcp")),
        ("turns:turn.example.org", Server("turn.example.org", 5349, "tls")),
        ("turns:[2001:db8::9]:443?transport=tcp", Server("2001:db8::9", 443, "tls")),
    ],
)
def test_a_url(url: str, server: Server) -> None:
    assert turn.parse(url) == server


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "is written as"),
        ("turn:", "is written as"),
        ("turn.example.org", "is written as"),
        ("stun:turn.example.org", "is written as"),
        ("turn://turn.example.org", "is written as"),
        ("turn:sol@turn.example.org", "is written as"),
        ("turn:turn.example.org?transport=sctp", "is written as"),
        ("turn:turn.example.org?transport=udp&x=1", "is written as"),
        ("turn:turn.example.org\nturn:other", "is written as"),
        ("turn:turn.example.org:0", "is not a port"),
        ("turn:turn.example.org:65536", "is not a port"),
        ("turns:turn.example.org?transport=udp", "only over TCP"),
    ],
)
def test_what_is_no_url_of_a_turn_server(url: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        turn.parse(url)


def test_credentials_are_those_of_the_draft() -> None:
    """draft-uberti-behave-turn-rest-00 section 2.2: user name with its end, password base64(HMAC-SHA1(secret, it))."""
    name, password = turn.credentials("secret", "sol", 1_790_000_000)
    assert name == "1790000000:sol"
    assert base64.b64decode(password) == hmac.new(b"secret", b"1790000000:sol", hashlib.sha1).digest()
