"""Thin wrappers. Each may run twice at once. What a lost message left undone, the sweep finds in the rows."""

import logging
from typing import Any
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from recordings import purging
from recordings.archive import archive
from recordings.chunks import ChunkRefused, checked
from recordings.models import Recording
from rooms.models import Space

log = logging.getLogger(__name__)


@shared_task
def ingest(key: str, meta: dict[str, Any]) -> None:
    """Enter a chunk that a media node has shipped to the storage into the rows."""
    try:
        chunk = checked(meta)
        Recording.open_for(Space.objects.get(pk=chunk.space)).add_chunk(chunk, key)
    except (ChunkRefused, Space.DoesNotExist) as error:
        log.error("chunk %s was refused: %s", key, error)


@shared_task
def mix(recording_id: str) -> None:
    """Mix a recording whose Space has ended."""
    recording = Recording.objects.filter(pk=UUID(recording_id)).first()
    if recording is not None:
        archive(recording)


@shared_task
def sweep() -> None:
    """Open and close what the signals missed, take in files without a message, queue what waits for its mix."""
    now = timezone.now()
    for space in Space.objects.filter(recording=None, started_at__isnull=False):
        Recording.open_for(space)
    for recording in Recording.objects.forgotten():
        recording.close()
    for recording in Recording.objects.to_mix(now):
        if Recording.objects.queue(recording.pk, now):
            mix.delay_on_commit(str(recording.pk))
    for recording in Recording.objects.to_collect(now):
        recording.collect()


@shared_task
def purge() -> None:
    """Purge what is due."""
    _receipts, faults = purging.purge_due(timezone.now())
    if faults:
        raise ExceptionGroup("recordings that could not be purged", faults)
