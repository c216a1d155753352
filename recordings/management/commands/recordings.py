"""What operators do with recordings: `manage.py recordings verify|list|purge|mix`."""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Count, Q, Sum
from django.utils import timezone

from accounts.shared.counting import counted
from recordings import purging
from recordings.archive import archive
from recordings.models import Recording
from recordings.models.mixable import GONE, State
from recordings.verify import verify

EXAMPLES = """examples:
  manage.py recordings verify             compare every file with its row, check every date; fails if anything is wrong
  manage.py recordings verify --no-hashes the same, without reading the files
  manage.py recordings list               list what is kept, until when, and why
  manage.py recordings list --all         include purged recordings
  manage.py recordings purge              purge now what is due, like the task that runs every 5 minutes
  manage.py recordings purge --dry-run    only list what is due
  manage.py recordings mix                mix now what is waiting to be mixed
  manage.py recordings mix ID             mix this recording again
"""


class Command(BaseCommand):
    help = "Verifies, lists, purges and mixes the recordings of Spaces."

    def create_parser(self, *args: Any, **options: Any) -> Any:
        return super().create_parser(*args, epilog=EXAMPLES, formatter_class=RawDescriptionHelpFormatter, **options)

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="verify|list|purge|mix")
        verifying = verbs.add_parser("verify", help="compare storage and rows; fails if anything is wrong")
        verifying.add_argument("--no-hashes", action="store_true", help="do not read the files")
        listing = verbs.add_parser("list", help="list what is kept, and until when")
        listing.add_argument("--all", action="store_true", help="include purged recordings")
        purge = verbs.add_parser("purge", help="purge what is due")
        purge.add_argument("--dry-run", action="store_true", help="only list what is due")
        mixing = verbs.add_parser("mix", help="mix what is waiting to be mixed, or one recording again")
        mixing.add_argument("id", nargs="?", type=UUID, help="id of a recording or of its Space")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        now = timezone.now()
        if verb == "verify":
            self._verify(now, hashes=not options["no_hashes"])
        elif verb == "list":
            self._list(everything=options["all"])
        elif verb == "purge":
            self._purge(now, dry_run=options["dry_run"])
        else:
            self._mix(options["id"])

    def _verify(self, now: datetime, hashes: bool) -> None:
        count = 0
        for finding in verify(now, hashes):
            count += 1
            self.stdout.write(str(finding))
        kept = Recording.objects.exclude(state__in=GONE).count()
        if count:
            raise CommandError(f"{counted(count, 'finding')} in {counted(kept, 'recording')}.")
        are = "recording is" if kept == 1 else "recordings are"
        self.stdout.write(f"{kept:,} {are} kept. Every file has its row, and nothing is past its date.")

    def _list(self, everything: bool) -> None:
        now, recordings = timezone.now(), Recording.objects.order_by("started_at")
        recordings = recordings.annotate(chunks=Count("tracks__chunks"), octets=Sum("tracks__chunks__size", default=0))
        for recording in recordings if everything else recordings.exclude(state__in=GONE):
            date = f"{recording.purge_at:%F %R}" if recording.purge_at else "not yet: live"
            holds = ", ".join(str(hold) for hold in recording.holds.active(now)) or "no holds"
            size = f"{counted(recording.chunks, 'chunk')}, {recording.octets / 1e6:.1f} MB"
            self.stdout.write(
                f"{recording.pk}  {recording.state:7}  purge {date:16}  {size}  {holds}{_fault(recording)}"
            )
        self.stdout.write(f"{recordings.exclude(state__in=GONE).count()} kept, {recordings.count()} in all.")

    def _purge(self, now: datetime, dry_run: bool) -> None:
        if dry_run:
            due = [
                recording for recording in Recording.objects.due(now) if recording.is_gone or recording.is_overdue(now)
            ]
            for recording in due:
                self.stdout.write(f"{recording.pk}  due since {recording.purge_at:%F %R}")
            self.stdout.write(f"{len(due)} due. Nothing was purged.")
            return
        receipts, faults = purging.purge_due(now)
        for receipt in receipts:
            what = (
                f"{counted(receipt.chunks, 'chunk')}, {counted(receipt.files, 'file')}, {receipt.octets / 1e6:.1f} MB"
            )
            self.stdout.write(f"{receipt.space}  purged: {what}; receipt {receipt.pk}")
        if faults:
            raise CommandError(f"{len(receipts)} purged, {len(faults)} failed: {'; '.join(map(str, faults))}")
        self.stdout.write(f"{len(receipts)} purged.")

    def _mix(self, pk: UUID | None) -> None:
        waiting = Recording.objects.filter(state=State.CLOSING)
        if pk is not None:
            waiting = Recording.objects.filter(Q(pk=pk) | Q(space=pk)).exclude(state__in=(State.OPEN, *GONE))
            if not waiting:
                raise CommandError(f"Recording {pk} cannot be mixed: it is live, purged, or does not exist.")
            waiting[0].mix_again()
        for recording in waiting:
            done = archive(recording)
            recording.refresh_from_db()
            outcome = (
                f"mixed, {recording.duration_ms / 1000:.1f} s"
                if done
                else "not mixed: another worker has it, or chunks are still arriving"
            )
            self.stdout.write(f"{recording.pk}  {outcome}")
        self.stdout.write(f"{counted(len(waiting), 'recording')} checked.")


def _fault(recording: Recording) -> str:
    return f"  {counted(recording.attempts, 'attempt')}, last error: {recording.error}" if recording.error else ""
