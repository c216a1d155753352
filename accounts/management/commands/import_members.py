from accounts.imports import BATCH_MEMBERS, import_members
from accounts.management.import_command import ImportCommand


class Command(ImportCommand):
    help = (
        "Add members from a CSV file. They have no password: they set one with 'forgotten password', by mail. "
        "A handle that exists already is left as it is, so the same file can be imported again."
    )
    what = "members"
    required = ["handle"]
    optional = ["display_name", "email", "bio"]
    example = (
        '  handle,display_name,email,bio\n  hana,Hana Mori,hana@example.org,"Radio, mostly"\n  sol,,sol@example.org,\n\n'
        "  manage.py import_members members.csv"
    )
    batch_size = BATCH_MEMBERS
    bring_in = staticmethod(import_members)
