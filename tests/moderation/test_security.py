"""Audit events are lines of the security log, too, after commit."""

from typing import Any

import pytest
from django.db import transaction
from structlog.testing import capture_logs

from accounts.models import User
from moderation.models import AuditEvent

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_change_of_rights_is_a_line_after_commit(hana: User) -> None:
    with capture_logs() as lines, transaction.atomic():
        hana.withdraw_hosting(reason="asked to")
        assert staff_acts(lines) == []
    (line,) = staff_acts(lines)
    event = AuditEvent.objects.latest("pk")
    assert (line["act"], line["person"], line["audit"]) == ("hosting_withdrawn", str(hana.pk), str(event.pk))
    assert (line["member"], line["network"]) == (None, None)
    assert "asked to" not in str(line)


def test_what_was_undone_is_no_line(hana: User) -> None:
    with capture_logs() as lines, transaction.atomic():
        hana.withdraw_hosting(reason="asked to")
        transaction.set_rollback(True)
    assert staff_acts(lines) == []


def staff_acts(lines: list[Any]) -> list[Any]:
    return [line for line in lines if line["event"] == "staff_act"]
