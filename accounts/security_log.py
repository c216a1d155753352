"""The security log: who logged in from where, and what changed an account. One line for each event (ASVS 5.0, 16.3).

A line has the kind of the event, the id of the member, and the network of the address. It has no text that anyone
typed: a password typed into the field for the handle must not get there, and no text can look like another line.
"""

from collections.abc import Iterable
from enum import StrEnum
from functools import partial
from typing import Any

import structlog
from allauth.account.models import EmailAddress
from django.dispatch import Signal
from django.http import HttpRequest

from accounts.models import User
from accounts.shared.throttles import network

LOGGER = "spaces.security"  # spaces_project.logs keeps its level, whatever LOG_LEVEL says

log = structlog.get_logger(LOGGER)


class Kind(StrEnum):
    """The field `event` of a line."""

    SIGNED_UP = "signed_up"
    LOGGED_IN = "logged_in"
    LOG_IN_FAILED = "log_in_failed"
    PASSWORD_REFUSED = "password_refused"  # noqa: S105 - of a member who is logged in
    LOCKED_OUT = "locked_out"  # too many failures
    LOGGED_OUT = "logged_out"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105
    PASSWORD_RESET = "password_reset"  # noqa: S105
    ADDRESS_ADDED = "address_added"  # not confirmed yet
    ADDRESS_CONFIRMED = "address_confirmed"
    ADDRESS_CHANGED = "address_changed"
    ADDRESS_REMOVED = "address_removed"
    FACTOR_ADDED = "factor_added"
    FACTOR_REMOVED = "factor_removed"
    FACTOR_RENEWED = "factor_renewed"  # recovery codes
    FACTOR_REFUSED = "factor_refused"
    STAFF_ACT = "staff_act"  # an audit event; `act` is its verb


ALARMING = {Kind.LOG_IN_FAILED, Kind.PASSWORD_REFUSED, Kind.LOCKED_OUT, Kind.FACTOR_REFUSED}


def write(kind: Kind, request: HttpRequest | None, member: object = None, **facts: str) -> None:
    """Write one line. `member` is an id. `facts` are words of ours and ids, never what anyone typed."""
    where = network(request.META.get("REMOTE_ADDR", "")) if request else None
    level = "warning" if kind in ALARMING else "info"
    getattr(log, level)(str(kind), member=str(member) if member else None, network=where, **facts)


def listen(signals: Iterable[tuple[Signal, Kind]]) -> None:
    """Write a line for each of these signals of Django and allauth."""
    for signal, kind in signals:
        signal.connect(partial(_hear, kind), weak=False, dispatch_uid=f"accounts.security_log.{kind}")


def log_in_failed(credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any) -> None:
    """Write a line for a wrong password, with the id of the account that it was meant for."""
    again = request is not None and request.user.is_authenticated
    write(Kind.PASSWORD_REFUSED if again else Kind.LOG_IN_FAILED, request, _meant(credentials))


def locked_out(credentials: dict[str, Any], request: HttpRequest | None) -> None:
    """Write a line for a password that was not even tried, after too many wrong ones."""
    write(Kind.LOCKED_OUT, request, _meant(credentials))


def _meant(credentials: dict[str, Any]) -> object:
    """The id of the account that someone wants to log in to, if there is one."""
    return User.objects.filter(handle=credentials.get("username") or "").values_list("pk", flat=True).first()


def _hear(
    kind: Kind,
    request: HttpRequest | None = None,
    user: User | None = None,
    email_address: EmailAddress | None = None,
    authenticator: Any = None,
    **kwargs: Any,
) -> None:
    member = user.pk if user else email_address and email_address.user_id
    write(kind, request, member, **({"factor": str(authenticator.type)} if authenticator else {}))
