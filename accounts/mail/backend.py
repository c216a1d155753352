"""Django's way out for email: each message becomes a job of the worker for email."""

from collections.abc import Sequence
from functools import partial

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction

from accounts.mail import tasks
from accounts.mail.sealed import seal


class EmailBackend(BaseEmailBackend):
    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Hand over messages when the transaction commits. Returns how many have recipients."""
        addressed = [message for message in email_messages if message.recipients()]
        for message in addressed:
            transaction.on_commit(partial(tasks.deliver.delay, seal(message)))
        return len(addressed)
