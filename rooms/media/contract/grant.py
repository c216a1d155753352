"""The signed permission with which a browser enters a Space on a media node.

`base64url(JSON) + "." + base64url(HMAC-SHA256(key, first part))`, valid for half a minute. `keys.py` has the key.
The web side asks the rules and signs it. The node checks only the signature, the date and the standing.
"""

import base64
import binascii
import hashlib
import hmac

import msgspec

from rooms.media.contract.keys import grant_key

GRANT_SECONDS = 30
MAX_GRANT_LENGTH = 1024


class Grant(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Who may enter which Space until when. `expires` is in Unix seconds.

    `back`: the participant had sound a moment ago and is let in before newcomers.
    """

    space: str
    participant: str
    expires: float
    back: bool = False


class GrantRefused(ValueError):
    """The grant is not valid. The message says why."""


def mint(
    secret: str, space: str, participant: str, now: float, seconds: float = GRANT_SECONDS, *, back: bool = False
) -> str:
    """A grant for one participant of one Space, valid from `now` (Unix seconds) for `seconds`."""
    payload = _encode(msgspec.json.encode(Grant(str(space), str(participant), now + seconds, back)))
    return f"{payload}.{_encode(_signature(secret, payload))}"


def read(secret: str, grant: str, now: float) -> Grant:
    """What a grant says. Raises GrantRefused if its form, signature or date is wrong."""
    if len(grant) > MAX_GRANT_LENGTH:
        raise GrantRefused("too long")
    payload, _, signature = grant.partition(".")
    try:
        signed = hmac.compare_digest(_decode(signature), _signature(secret, payload))
        permission = msgspec.json.decode(_decode(payload), type=Grant) if signed else None
    except (ValueError, binascii.Error) as error:
        raise GrantRefused("malformed") from error
    if permission is None:
        raise GrantRefused("wrong signature")
    if permission.expires <= now:
        raise GrantRefused("expired")
    return permission


def _signature(secret: str, payload: str) -> bytes:
    return hmac.digest(grant_key(secret), payload.encode(), hashlib.sha256)


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _decode(text: str) -> bytes:
    return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
