from accounts.importing.batches import BATCH_MEMBERS, Faults, Result, import_members
from accounts.importing.csv_rows import Row
from accounts.management.import_command import ImportCommand


class Command(ImportCommand):
    help = (
        "Add members from a CSV file. They have no password: they set one with 'forgotten password', by mail. "
        "A handle that exists already is left as it is, so the same file can be imported again."
    )
    what = "member"
    required = ["handle"]
    optional = ["display_name", "email", "bio"]
    example = (
        '  handle,display_name,email,bio\n  hana,Hana Mori,hana@example.org,"Radio, mostly"\n  sol,,,\n\n'
        "  manage.py import_members members.csv"
    )
    batch_size = BATCH_MEMBERS

    def bring_in(self, rows: list[Row]) -> tuple[Result, Faults]:
        return import_members(rows)
