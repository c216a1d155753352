"""Purges recordings past their date, and sound in the storage that belongs to no recording."""

import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import transaction

from recordings import files
from recordings.models import Receipt, Recording
from recordings.models.mixable import State
from recordings.models.receipt import digest_of

SPOOLED = {".opus", ".damaged"}


def purge_due(now: datetime) -> tuple[list[Receipt], list[Exception]]:
    """Purge everything that is due. Returns receipts and faults; a fault in one recording does not stop the others."""
    faults: list[Exception] = []
    receipts = list(_purged(now, faults))
    receipts += [receipt for folder in files.folders() if (receipt := purge_stray(folder, now))]
    for path in old_spool_files(now):
        path.unlink(missing_ok=True)
    return receipts, faults


def _purged(now: datetime, faults: list[Exception]) -> Iterator[Receipt]:
    for recording in Recording.objects.due(now):
        try:
            receipt = recording.purge()
        except Exception as error:  # storages raise errors of their own; the next run tries again
            faults.append(error)
            continue
        if receipt is not None:
            yield receipt


def purge_stray(folder: str, now: datetime) -> Receipt | None:
    """Remove what arrived in the folder of a purged recording, or an old folder that belongs to no recording."""
    recording = recording_of(folder)
    if recording is not None and recording.state != State.PURGED:
        return None
    keys = list(files.walk(folder))
    if recording is None and not _is_old(keys, now):
        return None
    with transaction.atomic():
        receipt = _stray_receipt(folder, keys, now) if keys else None
        files.remove_tree(folder)
    return receipt


def recording_of(folder: str) -> Recording | None:
    """The recording that a folder belongs to, or None."""
    try:
        return Recording.objects.filter(space=UUID(folder)).first()
    except ValueError:
        return None


def _is_old(keys: list[str], now: datetime) -> bool:
    oldest = now - timedelta(days=settings.RECORDING_RETENTION_DAYS)
    return all(files.storage().get_modified_time(key) < oldest for key in keys)


def old_spool_files(now: datetime) -> list[Path]:
    """Chunks that a media node of this machine could not ship, and that are older than the retention."""
    oldest = (now - timedelta(days=settings.RECORDING_RETENTION_DAYS)).timestamp()
    chunks = Path(settings.MEDIA_SPOOL).glob("*/*.*")
    return [path for path in chunks if path.suffix in SPOOLED and path.stat().st_mtime < oldest]


def _stray_receipt(folder: str, keys: list[str], now: datetime) -> Receipt:
    contents = [files.read(key) for key in keys]
    return Receipt.objects.create(
        space=folder[:64],
        tracks=0,
        chunks=0,
        octets=sum(map(len, contents)),
        milliseconds=0,
        files=len(keys),
        digest=digest_of(hashlib.sha256(content).hexdigest() for content in contents),
        purged_at=now,
        why=Receipt.Why.STRAY,
    )
