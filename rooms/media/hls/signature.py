"""Signatures over the folders of Spaces: they let listeners fetch HLS files for 15 seconds.

A signature is `<expires>-<hash>`. `expires` is in Unix seconds. The hash is what nginx computes for `secure_link_md5
"$expires $folder SECRET"`: base64url(MD5("<expires> <folder> <secret>")). The secret stands at the end, so nothing can
be appended, and outsiders do not choose what is hashed. nginx has no hash but MD5.
"""

import base64
import hashlib
import hmac

SECONDS = 15  # how long a signature is valid


def folder(secret: str, space: str) -> str:
    """The name of a Space's folder. It is the same on every node and cannot be guessed without the secret."""
    return _encode(hmac.digest(secret.encode(), f"folder {space}".encode(), hashlib.sha256)[:18])


def sign(secret: str, name: str, now: float, seconds: int = SECONDS) -> str:
    """A signature for the folder of this name, valid for `seconds` from `now` on, in Unix seconds."""
    expires = int(now) + seconds
    return f"{expires}-{_signature(secret, name, expires)}"


def refusal(secret: str, name: str, signed: str, now: float) -> str | None:
    """Why a signature is not valid for the folder of this name: "forged" or "expired". None if it is."""
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
