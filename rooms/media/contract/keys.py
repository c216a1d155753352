"""Keys that both sides derive from MEDIA_SECRET: one signs grants, the other opens a node's HTTP port.

The bearer token travels to every node. It is an HMAC-SHA256 (RFC 2104) of a label, so that a program which has read it
can neither sign a grant nor find the secret.
"""

import hashlib
import hmac

GRANTS = b"spaces grants"
BEARER = b"spaces node bearer"


def grant_key(secret: str) -> bytes:
    return hmac.digest(secret.encode(), GRANTS, hashlib.sha256)


def bearer(secret: str) -> str:
    """The value of the header Authorization on the HTTP port of a node."""
    return f"Bearer {hmac.digest(secret.encode(), BEARER, hashlib.sha256).hex()}"
