"""Ciphers for what a database, a queue or a backup must not show. Each use has a key of its own, from SECRET_KEY."""

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet
from django.conf import settings


def cipher(label: bytes) -> Fernet:
    """The cipher of one use. The key is HMAC-SHA-256 of `label` with SECRET_KEY."""
    key = hmac.digest(settings.SECRET_KEY.encode(), label, hashlib.sha256)
    return Fernet(base64.urlsafe_b64encode(key))
