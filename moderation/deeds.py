"""Records deeds: changes of an account's rights or standing. Superusers are told of each."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from allauth.account.models import EmailAddress
from django.core.mail import send_mail
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.mail import sends_mail
from accounts.models import User
from accounts.rules import Deed
from moderation.models import AuditEvent


def record(deed: Deed, person: User, by: User | None, facts: dict[str, str], **kwargs: Any) -> None:
    """Write the audit event. After commit, send it to the superusers."""
    event = AuditEvent.write(AuditEvent.Verb(deed.value), by, facts, person=person)  # the triggers look for `person`
    if deed != Deed.SUSPENDED:  # a case says why, and its page shows it
        transaction.on_commit(partial(tell_superusers, event, f"@{person.handle}", by, facts), robust=True)


def tell_superusers(event: AuditEvent, whom: str, by: User | None, facts: dict[str, str]) -> None:
    """Send each superuser with a verified address a message. Without a mail server, the admin's first page lists it."""
    if not sends_mail():
        return
    what = event.get_verb_display()
    lines = [
        _("Rights of %(whom)s changed: %(what)s, by %(who)s.")
        % {"who": f"@{by.handle}" if by else _("an operator at the command line"), "whom": whom, "what": what},
        *(f"{name}: {value}" for name, value in facts.items()),
        _("If this is not right, talk to each other, and look at the audit events in the admin."),
    ]
    superusers = EmailAddress.objects.filter(user__is_superuser=True, user__is_active=True, verified=True, primary=True)
    for address in superusers.values_list("email", flat=True):
        send_mail(_("Rights changed: %(whom)s") % {"whom": whom}, "\n\n".join(lines), None, [address])


@dataclass(frozen=True)
class Line:
    """A deed in words."""

    at: datetime
    whom: str
    what: str
    who: str
    reason: str


def newest(count: int = 10) -> list[Line]:
    """The newest deeds, for superusers."""
    events = list(AuditEvent.objects.deeds().select_related("detail")[:count])
    ids = {event.actor for event in events if event.actor} | {event.objects_touched.get("person") for event in events}
    people = {str(person.pk): str(person) for person in User.objects.filter(pk__in=ids - {None})}
    return [
        Line(
            at=event.at,
            whom=people.get(event.objects_touched.get("person", ""), "-"),
            what=": ".join(filter(None, (str(event.get_verb_display()), _facts(event).get("group")))),
            who=people.get(str(event.actor), _("an operator at the command line")),
            reason=_facts(event).get("reason", ""),
        )
        for event in events
    ]


def _facts(event: AuditEvent) -> dict[str, str]:
    return event.detail.facts if hasattr(event, "detail") else {}
