"""Reports, the cases that they open, what was decided, and the trail of who did what. Verbs are the only way in.

Whoever changes a case holds the lock on its row; locks are taken in the order case, Space, person, recording.
"""

from moderation.models.audit import AuditDetail, AuditEvent
from moderation.models.case import Case
from moderation.models.decision import Decision, Notice
from moderation.models.report import Report

__all__ = ["AuditDetail", "AuditEvent", "Case", "Decision", "Notice", "Report"]
