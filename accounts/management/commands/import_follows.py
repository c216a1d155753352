from accounts.importing.batches import BATCH_FOLLOWS, Faults, Result, import_follows
from accounts.importing.csv_rows import Row
from accounts.management.import_command import ImportCommand


class Command(ImportCommand):
    help = (
        "Adds follows from a CSV file of handles. They are accepted even if a member approves each follower. "
        "Existing follows stay as they are, so the same file can be imported again. "
        "Follower counts are right after each batch. The site may keep running."
    )
    what = "follow"
    required = ["follower", "followee"]
    example = "  follower,followee\n  lior,hana\n  sol,hana\n\n  manage.py import_follows follows.csv"
    batch_size = BATCH_FOLLOWS

    def import_batch(self, rows: list[Row]) -> tuple[Result, Faults]:
        return import_follows(rows)
