"""Who may fetch the files of a Space: whoever has a signature of the last 15 seconds over the name of its folder.

``<expires>-<signature>``, where ``expires`` is in Unix seconds and the signature what nginx's ``secure_link_md5
"$expires $folder SECRET"`` computes: base64url(MD5("<expires> <folder> <secret>")). The secret stands at the end, so
nothing can be appended, and nobody who lacks it chooses what is hashed; MD5 is what nginx has.
"""

import base64
import hashlib
import hmac

SECONDS = 15  # for which a signature holds


def folder(secret: str, space: str) -> str:
    """Return the name of a Space's folder, which only who has the secret can tell; the same on every node."""
    return _encode(hmac.digest(secret.encode(), f"folder {space}".encode(), hashlib.sha256)[:18])


def sign(secret: str, name: str, now: float, seconds: int = SECONDS) -> str:
    """Return a signature for the folder of this name, valid from ``now`` (Unix seconds) on."""
    expires = int(now) + seconds
    return f"{expires}-{_signature(secret, name, expires)}"


def refusal(secret: str, name: str, signed: str, now: float) -> str | None:
    """Why a signature does not open the folder of this name: "forged" or "expired"; None where it does."""
    expires, _, signature = signed.partition("-")
    if not (expires.isascii() and expires.isdigit() and len(expires) <= 12):
        return "forged"
    if not hmac.compare_digest(signature.encode(), _signature(secret, name, int(expires)).encode()):
        return "forged"
    return "expired" if int(expires) < now else None


def _signature(secret: str, name: str, expires: int) -> str:
    return _encode(hashlib.md5(f"{expires} {name} {secret}".encode(), usedforsecurity=False).digest())


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
