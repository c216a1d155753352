"""Thin wrappers. Each may run twice at once."""

from celery import shared_task
from django.utils import timezone

from moderation.leaving import forgetting, retention


@shared_task
def purge_metadata() -> None:
    """Delete old rows about who was where. Each Space leaves a receipt."""
    for _receipt in retention.purge_due(timezone.now()):
        pass


@shared_task
def forget_texts() -> None:
    """Forget texts of reports and decisions that nothing keeps any more. Each case has an audit event."""
    forgetting.forget_due(timezone.now())
