"""What moderation adds to the export of a member's data: reports they filed, and decisions about them."""

from typing import Any

from accounts.models import User
from moderation.models import Notice, Report


def files(user: User) -> dict[str, Any]:
    """Reports without their outcome, which is about others. Decisions without who reported or decided."""
    filed = user.reports_filed.select_related("words").order_by("created_at")
    notices = user.notices.with_decision().order_by("created_at")
    return {
        "reports_filed.json": [_report(report) for report in filed],
        "decisions_about_me.json": [_decision(notice) for notice in notices],
    }


def _report(report: Report) -> dict[str, Any]:
    names = ("space_id", "title", "handle", "name", "reason", "text", "created_at", "room_ms")
    return {name: getattr(report, name) for name in names}


def _decision(notice: Notice) -> dict[str, Any]:
    decision = notice.decision
    return {
        "space": decision.case.space_id,
        "decision": decision.kind,
        "reason": decision.reason,
        "until": decision.until,
        "decided_at": decision.created_at,
        "seen_at": notice.seen_at,
    }
