"""Grants: half a minute, one person, one Space, one signature."""

import base64
import json

import pytest

from rooms.media.contract.grant import GrantRefused, mint, read

SECRET = "a secret"
NOW = 1_700_000_000.0


def test_what_was_minted_is_read() -> None:
    grant = read(SECRET, mint(SECRET, "space", "hana", NOW), NOW + 29)
    assert (grant.space, grant.participant, grant.expires) == ("space", "hana", NOW + 30)


def encoded(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


GOOD = mint(SECRET, "space", "hana", NOW)
OTHER = mint(SECRET, "space", "dee", NOW)


@pytest.mark.parametrize(
    ("grant", "now", "reason"),
    [
        (GOOD, NOW + 30, "expired"),
        (mint("another secret", "space", "hana", NOW), NOW, "signature"),
        (OTHER.split(".")[0] + "." + GOOD.split(".")[1], NOW, "signature"),
        (encoded({"space": "space", "participant": "dee", "expires": NOW + 30}) + ".", NOW, "signature"),
        (GOOD.split(".")[0], NOW, "signature"),
        ("", NOW, "signature"),
        ("é.é", NOW, "malformed"),
        ("a.b!", NOW, "malformed"),
        ("a" * 2000, NOW, "too long"),
    ],
)
def test_refusals_say_why(grant: str, now: float, reason: str) -> None:
    with pytest.raises(GrantRefused, match=reason):
        read(SECRET, grant, now)
