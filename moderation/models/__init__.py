"""Reports, the cases they open, decisions, and audit events. Only verbs change these rows.

A verb that changes a case holds the lock on its row. Locks are taken in the order case, Space, person, recording.
"""

from moderation.models.audit import AuditDetail, AuditEvent
from moderation.models.case import Case
from moderation.models.decision import Decision, Notice
from moderation.models.metadata import MetadataReceipt
from moderation.models.report import Report
from moderation.models.words import DecisionWords, ReportWords

__all__ = [
    "AuditDetail",
    "AuditEvent",
    "Case",
    "Decision",
    "DecisionWords",
    "MetadataReceipt",
    "Notice",
    "Report",
    "ReportWords",
]
