"""Import members and follows in batches. Safe to repeat: existing rows stay as they are.

Each batch is one transaction, so a running site waits only for moments, and a broken run can simply be run again.
"""

from dataclasses import dataclass

from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.handles import refuse_reserved
from accounts.importing.csv_rows import Row
from accounts.models import RetiredHandle, User
from accounts.names.protection import refuse_borrowed_name, refuse_imitation

YES, NO = "yes", "no"
BATCH_MEMBERS = 2_000
BATCH_FOLLOWS = 50_000

FOLLOWS_TABLE = "CREATE TEMPORARY TABLE incoming (line bigint, follower text, followee text) ON COMMIT DROP"
COPY_FOLLOWS = "COPY incoming (line, follower, followee) FROM STDIN"
RESOLVE = """
CREATE TEMPORARY TABLE pair ON COMMIT DROP AS
SELECT line, follower, followee, one.id AS follower_id, other.id AS followee_id
FROM incoming
LEFT JOIN accounts_user one ON one.handle = follower
LEFT JOIN accounts_user other ON other.handle = followee
"""
# The same order as in accounts.models.lock_people, so that no verb waits for this one in a circle.
LOCK = """
SELECT count(*) FROM (
    SELECT id FROM accounts_user
    WHERE id IN (SELECT follower_id FROM pair UNION SELECT followee_id FROM pair)
    ORDER BY id FOR NO KEY UPDATE
) locked
"""
FAULTS = """
SELECT line, CASE
    WHEN follower_id IS NULL THEN 'there is no member @' || follower
    WHEN followee_id IS NULL THEN 'there is no member @' || followee
    WHEN follower_id = followee_id THEN '@' || follower || ' cannot follow themselves'
    ELSE 'one of @' || follower || ' and @' || followee || ' has blocked the other'
END
FROM pair WHERE follower_id IS NULL OR followee_id IS NULL OR follower_id = followee_id OR {blocked}
ORDER BY line
"""
BLOCKED = """EXISTS (SELECT FROM accounts_block WHERE (blocker_id, blocked_id) = (follower_id, followee_id)
    OR (blocker_id, blocked_id) = (followee_id, follower_id))"""
INSERT = """
WITH added AS (
    INSERT INTO accounts_follow (follower_id, followee_id, state, created_at, accepted_at)
    SELECT DISTINCT follower_id, followee_id, 'accepted', %(now)s::timestamptz, %(now)s::timestamptz FROM pair
    WHERE follower_id IS NOT NULL AND followee_id IS NOT NULL AND follower_id <> followee_id AND NOT {blocked}
    ON CONFLICT (follower_id, followee_id) DO NOTHING
    RETURNING followee_id
), gained AS (SELECT followee_id, count(*) AS number FROM added GROUP BY followee_id)
UPDATE accounts_user SET follower_count = follower_count + number FROM gained WHERE id = followee_id RETURNING number
"""


@dataclass
class Result:
    """Counts of a batch, or of all batches: rows added, rows known already, and rows with faults."""

    added: int = 0
    known: int = 0
    faults: int = 0


Faults = list[tuple[int, str]]


def import_members(rows: list[Row]) -> tuple[Result, Faults]:
    """Add members from `rows` (handle, display_name, email, email_confirmed, bio). They have no password.

    With a confirmed address they set one by mail. An account with the same handle stays as it is.
    """
    good: dict[str, User] = {}
    confirmed: set[str] = set()
    faults: Faults = []
    retired = RetiredHandle.among(row.values.get("handle", "").removeprefix("@") for row in rows)
    for row in rows:
        try:
            member = _member(row, retired)
        except ValidationError as error:
            faults.append((row.line, _words(error)))
        else:
            good.setdefault(member.handle, member)
            confirmed |= {member.handle} if row.values.get("email_confirmed", "").lower() == YES else set()
    known = set(User.objects.filter(handle__in=good).values_list("handle", flat=True))
    new = [member for handle, member in good.items() if handle not in known]
    User.objects.bulk_create(new, ignore_conflicts=True)
    _add_addresses(new, confirmed)
    return Result(len(new), len(rows) - len(new) - len(faults), len(faults)), faults


def _add_addresses(members: list[User], confirmed: set[str]) -> None:
    """Add the addresses of new members. One that another account has confirmed stays out: it belongs to that one."""
    stored = set(User.objects.filter(pk__in=[member.pk for member in members]).values_list("pk", flat=True))
    EmailAddress.objects.bulk_create(
        [
            EmailAddress(user=member, email=member.email, primary=True, verified=member.handle in confirmed)
            for member in members
            if member.email and member.pk in stored
        ],
        ignore_conflicts=True,
    )


def _member(row: Row, retired: set[str]) -> User:
    if row.fault:
        raise ValidationError(row.fault)
    values = row.values
    member = User(
        handle=values["handle"].removeprefix("@"),
        display_name=values.get("display_name", ""),
        email=values.get("email", "").lower(),
        bio=values.get("bio", ""),
        counts_from=timezone.now(),  # the operator vouches for them
    )
    member.set_unusable_password()
    member.clean_fields()
    if values.get("email_confirmed", "").lower() not in ("", YES, NO):
        raise ValidationError(_("email_confirmed: Write yes or no."))
    refuse_reserved(member.handle)
    refuse_imitation(member.handle)
    refuse_borrowed_name(member.display_name)
    if member.handle in retired:
        raise ValidationError(_("This handle belonged to an account that was erased. Choose another one."))
    return member


def _words(error: ValidationError) -> str:
    if not hasattr(error, "error_dict"):
        return " ".join(error.messages)
    return " ".join(f"{name}: {' '.join(faults)}" for name, faults in error.message_dict.items())


@transaction.atomic
def import_follows(rows: list[Row]) -> tuple[Result, Faults]:
    """Add follows from `rows` (handles of follower and followee), accepted even if a member approves followers.

    An open request stays a request. The rows of all these people are locked while their counts change.
    """
    faults = [(row.line, row.fault) for row in rows if row.fault]
    with connection.cursor() as cursor:
        cursor.execute(FOLLOWS_TABLE)
        with cursor.copy(COPY_FOLLOWS) as copy:
            for row in rows:
                if not row.fault:
                    copy.write_row((row.line, _handle(row, "follower"), _handle(row, "followee")))
        cursor.execute(RESOLVE)
        cursor.execute("ANALYZE pair")
        cursor.execute(LOCK)
        cursor.execute(FAULTS.format(blocked=BLOCKED))
        faults += cursor.fetchall()
        cursor.execute(INSERT.format(blocked=BLOCKED), {"now": timezone.now()})
        added = sum(number for (number,) in cursor.fetchall())
        cursor.execute("DROP TABLE incoming, pair")  # several batches may run in one outer transaction
    return Result(added, len(rows) - added - len(faults), len(faults)), sorted(faults)


def _handle(row: Row, column: str) -> str:
    return row.values[column].removeprefix("@").lower()
