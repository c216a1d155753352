from accounts.importing.batches import BATCH_MEMBERS, Faults, Result, import_members
from accounts.importing.csv_rows import Row
from accounts.management.import_command import ImportCommand


class Command(ImportCommand):
    help = (
        "Adds members from a CSV file. They have no password and set one with 'Forgotten password?', by email. "
        "For this, email_confirmed has to be yes: you know that the address is theirs. "
        "Existing accounts stay as they are, so the same file can be imported again."
    )
    what = "member"
    required = ["handle"]
    optional = ["display_name", "email", "email_confirmed", "bio"]
    example = (
        '  handle,display_name,email,email_confirmed,bio\n  hana,Hana Mori,hana@example.org,yes,"Radio, mostly"\n'
        "  sol,,,,\n\n"
        "  manage.py import_members members.csv"
    )
    batch_size = BATCH_MEMBERS

    def import_batch(self, rows: list[Row]) -> tuple[Result, Faults]:
        return import_members(rows)
