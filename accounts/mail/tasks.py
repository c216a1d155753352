"""The job that sends one message. It has a queue and a worker of its own: a silent server keeps no sweep waiting."""

import smtplib
from typing import Any

import structlog
from celery import Task, shared_task
from celery.exceptions import SoftTimeLimitExceeded
from cryptography.fernet import InvalidToken
from django.core.mail import get_connection

from accounts.mail.decoys import only_decoys
from accounts.mail.sealed import unseal

SMTP = "django.core.mail.backends.smtp.EmailBackend"
PAUSES = (30, 120, 600, 1800)  # seconds before each further try
SOFT_SECONDS, HARD_SECONDS = 60, 90  # EMAIL_TIMEOUT holds for each answer of the server, not for all of them
FAULTS = (OSError, smtplib.SMTPException, SoftTimeLimitExceeded)

log = structlog.get_logger(__name__)


@shared_task(bind=True, max_retries=len(PAUSES), soft_time_limit=SOFT_SECONDS, time_limit=HARD_SECONDS)
def deliver(self: Task, sealed: str) -> None:
    """Send a sealed message by SMTP. A fault that may pass is tried again up to four times, in about 45 minutes."""
    try:
        message = unseal(sealed)
        if only_decoys(message.recipients()):
            return
        with get_connection(SMTP) as server:
            server.send_messages([message])
    except InvalidToken:
        log.error("mail dropped", reason="older than a day, or SECRET_KEY has changed")
    except FAULTS as fault:
        tries = self.request.retries
        if _is_final(fault) or tries == len(PAUSES):
            log.error("mail not sent", tries=tries + 1, **_described(fault))
            return
        log.warning("mail delayed", seconds=PAUSES[tries], **_described(fault))
        raise self.retry(countdown=PAUSES[tries]) from None


def _is_final(fault: Exception) -> bool:
    """Whether the server has refused sender, recipients or text for good (RFC 5321, section 4.2.1: 5yz)."""
    refused = isinstance(fault, smtplib.SMTPSenderRefused | smtplib.SMTPRecipientsRefused | smtplib.SMTPDataError)
    return refused and all(code >= 500 for code in _codes(fault))


def _codes(fault: Exception) -> list[int]:
    if isinstance(fault, smtplib.SMTPRecipientsRefused):
        return [code for code, _ in fault.recipients.values()]
    return [fault.smtp_code] if isinstance(fault, smtplib.SMTPResponseException) else []


def _described(fault: Exception) -> dict[str, Any]:
    """The kind of a fault and the codes of the server. Its words may repeat the address or the link."""
    return {"fault": type(fault).__name__, "codes": _codes(fault)}
