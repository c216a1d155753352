"""Links that log a member of the demonstration in: signed with a secret that each start makes for itself."""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

TOKEN_BYTES = 18  # of the signature, 144 bits


@dataclass(frozen=True)
class Way:
    """One of the three ways to begin: as whom, what the console says, and the words of its card."""

    handle: str
    plain: str
    icon: str
    title: str | Promise
    then: str | Promise
    button: str | Promise


WAYS = (
    Way(
        "lior",
        "Hear a Space as lior",
        "headphones",
        _("Listen"),
        _("Press Start listening and hear people talk. React, or raise your hand."),
        _("Hear a Space as Lior"),
    ),
    Way(
        "hana",
        "Host one as hana",
        "mic",
        _("Host a Space"),
        _("Open a Space. Listeners come, one raises a hand, one does not behave."),
        _("Host one as Hana"),
    ),
    Way(
        "mo",
        "Judge a report as mo",
        "shield",
        _("Review a report"),
        _("Hear what was reported and decide what becomes of it."),
        _("Judge a report as Mo"),
    ),
)


def new_secret() -> str:
    """For one start of the demonstration."""
    return secrets.token_urlsafe(32)


def token(secret: str, handle: str) -> str:
    """What proves that this start gave the link for `handle` out."""
    signed = hmac.digest(secret.encode(), f"demo link {handle}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(signed[:TOKEN_BYTES]).decode()


def is_right(secret: str, handle: str, given: str) -> bool:
    """Whether `given` is the token of `handle`; never without a secret."""
    return bool(secret) and hmac.compare_digest(token(secret, handle).encode(), given.encode())


def path(secret: str, handle: str) -> str:
    return f"/demo/as/{handle}/{token(secret, handle)}/"
