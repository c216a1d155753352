"""Compares storage and rows, and looks for sound past its date. It reports and repairs nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.db.models import Q

from accounts.shared.counting import counted
from recordings import files
from recordings.models import Chunk, Receipt, Recording
from recordings.models.mixable import GONE, State
from recordings.purging import old_spool_files, recording_of
from rooms.media.hls.leftovers import leftovers
from rooms.models import Space

PATIENCE = timedelta(minutes=15)  # sweeps and purge run every 5 minutes at the latest, and repair much in this time
SWEPT = timedelta(seconds=30)  # the sweep of every 10 seconds deletes what a media node left behind


class Kind(StrEnum):
    """The kinds of findings."""

    OVERDUE = "overdue"
    UNDATED = "undated"
    LEFTOVER = "leftover"
    NO_RECEIPT = "no-receipt"
    NO_ROW = "file-without-row"
    NO_FILE = "row-without-file"
    ALTERED = "hash-off"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, and its place."""

    kind: Kind
    where: str
    detail: str

    def __str__(self) -> str:
        return f"{self.kind}  {self.where}  {self.detail}"


def verify(now: datetime, hashes: bool = True) -> Iterator[Finding]:
    """Everything that is wrong and older than PATIENCE. With `hashes`, every file is read."""
    yield from _dates(now)
    yield from _purged()
    for recording in Recording.objects.exclude(state__in=GONE).order_by("started_at").iterator():
        yield from _files(recording, now, hashes)
    for folder in files.folders():
        yield from _strays(folder, now)
    for path in old_spool_files(now):
        yield Finding(Kind.OVERDUE, str(path), "in the spool of a media node, older than the retention")
    for path in leftovers(settings.HLS_DIR, (now - SWEPT).timestamp()):
        yield Finding(Kind.OVERDUE, str(path), "files for listeners (HLS) that no media node writes any more")


def _dates(now: datetime) -> Iterator[Finding]:
    late = now - PATIENCE
    for recording in Recording.objects.due(late):
        if recording.state == State.PURGING and recording.purge_at > late:
            continue
        if recording.state == State.PURGING or recording.is_overdue(late):
            yield Finding(Kind.OVERDUE, str(recording.pk), f"should have been purged at {recording.purge_at:%F %R} UTC")
    never = Q(recording=None) | Q(recording__state=State.OPEN)
    for space in Space.objects.filter(never, state=Space.State.ENDED, ended_at__lt=late, started_at__isnull=False):
        yield Finding(Kind.UNDATED, str(space.pk), "the Space has ended and its recording was not closed")


def _purged() -> Iterator[Finding]:
    purged = Recording.objects.filter(state=State.PURGED)
    for recording in purged.filter(tracks__isnull=False).distinct():
        tracks = counted(recording.tracks.count(), "track")
        yield Finding(Kind.LEFTOVER, str(recording.pk), f"purged, but rows of {tracks} are left")
    for recording in purged.exclude(pk__in=Receipt.objects.filter(recording__isnull=False).values("recording")):
        yield Finding(Kind.NO_RECEIPT, str(recording.pk), "purged without a receipt")


def _files(recording: Recording, now: datetime, hashes: bool) -> Iterator[Finding]:
    rows = _rows(recording)
    there = set(files.walk(recording.prefix))
    for key in sorted(rows.keys() - there):
        if _is_still_named(recording, key):
            yield Finding(Kind.NO_FILE, key, "a row names it, the storage does not have it")
    for key in sorted(there - rows.keys()):
        if not recording.is_being_written(key, now) and _is_old(key, now):
            yield Finding(Kind.NO_ROW, key, "no row names it")
    for key in sorted(there & rows.keys()) if hashes else ():
        if (found := _sha256(key)) != rows[key] and _is_still_named(recording, key):
            yield Finding(Kind.ALTERED, key, f"SHA-256 is {found[:16]}..., the row says {rows[key][:16]}...")


def _rows(recording: Recording) -> dict[str, str]:
    """Key and hash of every file that the rows name."""
    rows = dict(Chunk.objects.filter(track__recording=recording).values_list("key", "sha256"))
    rows |= {recording.mix_key: recording.mix_sha256, recording.waveform_key: recording.waveform_sha256}
    rows.pop("", None)
    return rows


def _is_still_named(recording: Recording, key: str) -> bool:
    """Whether the rows still name it: it may have been mixed again or purged meanwhile."""
    recording.refresh_from_db()
    return not recording.is_gone and key in recording.file_keys()


def _strays(folder: str, now: datetime) -> Iterator[Finding]:
    recording = recording_of(folder)
    if recording is not None and recording.state != State.PURGED:
        return
    whose = "of a purged recording" if recording else "of no recording"
    for key in files.walk(folder):
        if _is_old(key, now):
            yield Finding(Kind.NO_ROW, key, whose)


def _is_old(key: str, now: datetime) -> bool:
    try:
        return files.storage().get_modified_time(key) < now - PATIENCE
    except FileNotFoundError:
        return False


def _sha256(key: str) -> str:
    try:
        with files.storage().open(key) as file:
            return files.sha256(file)
    except FileNotFoundError:
        return "gone"
