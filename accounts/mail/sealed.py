"""Messages on their way to the worker, encrypted. Their links log in, so neither Redis nor a log may show them."""

import json

from django.core.mail import EmailMessage, EmailMultiAlternatives

from accounts.shared.ciphers import cipher

LABEL = b"spaces mail"
MAX_AGE = 24 * 3600  # seconds; no one waits for an older message
FIELDS = ("subject", "body", "from_email", "to", "cc", "bcc", "reply_to", "extra_headers", "content_subtype")


def seal(message: EmailMessage) -> str:
    """The message as text that only holders of SECRET_KEY can read. Attachments are refused with ValueError."""
    if message.attachments:
        raise ValueError("email with attachments is not sent")
    fields = {name: getattr(message, name) for name in FIELDS}
    fields["alternatives"] = [list(one) for one in getattr(message, "alternatives", [])]
    return cipher(LABEL).encrypt(json.dumps(fields).encode()).decode()


def unseal(text: str) -> EmailMessage:
    """The message. Raises InvalidToken if the text was changed, has another key, or is older than MAX_AGE."""
    fields = json.loads(cipher(LABEL).decrypt(text.encode(), ttl=MAX_AGE))
    headers, subtype = fields.pop("extra_headers"), fields.pop("content_subtype")
    message = EmailMultiAlternatives(**fields, headers=headers)
    message.content_subtype = subtype
    return message
