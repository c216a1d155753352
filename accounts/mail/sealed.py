"""Messages on their way to the worker, encrypted. Their links log in, so neither Redis nor a log may show them."""

import base64
import hashlib
import hmac
import json

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives

LABEL = b"spaces mail"
MAX_AGE = 24 * 3600  # seconds; no one waits for an older message
FIELDS = ("subject", "body", "from_email", "to", "cc", "bcc", "reply_to", "extra_headers", "content_subtype")


def seal(message: EmailMessage) -> str:
    """The message as text that only holders of SECRET_KEY can read. Attachments are refused with ValueError."""
    if message.attachments:
        raise ValueError("email with attachments is not sent")
    fields = {name: getattr(message, name) for name in FIELDS}
    fields["alternatives"] = [list(one) for one in getattr(message, "alternatives", [])]
    return _cipher().encrypt(json.dumps(fields).encode()).decode()


def unseal(text: str) -> EmailMessage:
    """The message. Raises InvalidToken if the text was changed, has another key, or is older than MAX_AGE."""
    fields = json.loads(_cipher().decrypt(text.encode(), ttl=MAX_AGE))
    headers, subtype = fields.pop("extra_headers"), fields.pop("content_subtype")
    message = EmailMultiAlternatives(**fields, headers=headers)
    message.content_subtype = subtype
    return message


def _cipher() -> Fernet:
    key = hmac.digest(settings.SECRET_KEY.encode(), LABEL, hashlib.sha256)
    return Fernet(base64.urlsafe_b64encode(key))
