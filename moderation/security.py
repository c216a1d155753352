"""Writes audit events to the security log: changes of rights, decisions, what staff read and heard."""

from functools import partial
from typing import Any

from django.db import transaction

from accounts import security_log
from accounts.security_log import Kind
from moderation.models import AuditEvent


def audited(instance: AuditEvent, created: bool, **kwargs: Any) -> None:
    """Write a line after commit. `member` is who acted; none: the system, or an operator at the command line."""
    if created:
        transaction.on_commit(partial(_write, instance))


def _write(event: AuditEvent) -> None:
    security_log.write(Kind.STAFF_ACT, None, event.actor, act=event.verb, audit=str(event.pk), **event.objects_touched)
