from accounts.importing.batches import BATCH_FOLLOWS, Faults, Result, import_follows
from accounts.importing.csv_rows import Row
from accounts.management.import_command import ImportCommand


class Command(ImportCommand):
    help = (
        "Add follows from a CSV file of handles. They are accepted even by members who approve followers by hand. "
        "A follow that exists already is left as it is, so the same file can be imported again. "
        "Counts of followers are right after each batch; the site may go on running."
    )
    what = "follow"
    required = ["follower", "followee"]
    example = "  follower,followee\n  lior,hana\n  sol,hana\n\n  manage.py import_follows follows.csv"
    batch_size = BATCH_FOLLOWS

    def bring_in(self, rows: list[Row]) -> tuple[Result, Faults]:
        return import_follows(rows)
