"""The sweep that writes exports and deletes those whose day is over."""

from celery import shared_task
from django.utils import timezone

from accounts.exporting.archive import archive
from accounts.models import Export


@shared_task
def sweep() -> None:
    """Write what waits. Safe to run twice at once: each export is claimed. A fault keeps no other export."""
    now = timezone.now()
    Export.objects.over(now).delete()
    faults: list[Exception] = []
    for export in Export.objects.waiting(now).select_related("user").defer("content").order_by("asked_at"):
        if not export.claim(timezone.now()):
            continue
        try:
            export.finish(archive(export.user))
        except Exception as error:
            export.give_up_for_now()
            faults.append(error)
    if faults:
        raise ExceptionGroup("exports that could not be written", faults)
