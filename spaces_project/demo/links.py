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
        _("Press “Start listening” and hear people talk. React, or ask to speak."),
        _("Hear a Space as Lior"),
    ),
    Way(
        "hana",
        "Host a Space as hana",
        "mic",
        _("Host a Space"),
        _("Start a Space. Listeners come. One asks to speak, and one misbehaves."),
        _("Host a Space as Hana"),
    ),
    Way(
        "mo",
        "Review a report as mo",
        "shield",
        _("Review a report"),
        _("Hear what was reported, and decide."),
        _("Review a report as Mo"),
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
