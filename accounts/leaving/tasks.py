"""The sweep that erases accounts whose days to come back are over."""

import structlog
from celery import shared_task
from django.utils import timezone

from accounts.models import Closing
from accounts.shared.refusals import RefusedWith

log = structlog.get_logger(__name__)


@shared_task
def erase_due() -> None:
    """Erase what is due. One account that cannot be erased keeps no other one; it is tried again the next night."""
    faults: list[Exception] = []
    for closing in Closing.objects.due(timezone.now()):
        try:
            closing.user.erase()
        except RefusedWith as refused:
            log.warning("account not erased", user=str(closing.user_id), reason=refused.reason.value)
        except Exception as error:
            faults.append(error)
    if faults:
        raise ExceptionGroup("accounts that could not be erased", faults)
