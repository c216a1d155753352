"""Email: handed to a worker, so that no page waits for a mail server. Links lead to PUBLIC_URL."""

from django.conf import settings


def sends_mail() -> bool:
    """Whether an SMTP server is set. Without one, no email is sent; a demonstration prints it."""
    return bool(settings.EMAIL_HOST)
