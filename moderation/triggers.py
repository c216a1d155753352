"""SQL of the triggers that protect rows which are written once. Used by the migrations.

They also refuse TRUNCATE, except in a database named `test_...`: Django empties tables with it between tests.
"""

FUNCTION = """
CREATE OR REPLACE FUNCTION moderation_written_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' AND starts_with(current_database(), 'test_') THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION '% is written once: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$
"""
DROP_FUNCTION = "DROP FUNCTION IF EXISTS moderation_written_once()"


def protect(table: str) -> list[str]:
    """Statements after which rows of `table` can be written, but not changed, deleted or truncated."""
    call = f"ON {table} FOR EACH {{each}} EXECUTE FUNCTION moderation_written_once()"
    return [
        f"CREATE TRIGGER {table}_rows BEFORE UPDATE OR DELETE {call.format(each='ROW')}",
        f"CREATE TRIGGER {table}_table BEFORE TRUNCATE {call.format(each='STATEMENT')}",
    ]


def unprotect(table: str) -> list[str]:
    return [f"DROP TRIGGER {table}_rows ON {table}", f"DROP TRIGGER {table}_table ON {table}"]


# The texts of reports and decisions are written once, too, and may be forgotten by the verb that says so.
FORGETTABLE = """
CREATE FUNCTION moderation_forgettable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('moderation.forgetting', true) = 'on' THEN
        RETURN OLD;
    END IF;
    IF TG_OP = 'TRUNCATE' AND starts_with(current_database(), 'test_') THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION '% is written once: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$
"""


def protect_words(table: str) -> list[str]:
    """Like `protect`, but rows can be deleted while `moderation.forgetting` is on in the transaction."""
    return [statement.replace("moderation_written_once", "moderation_forgettable") for statement in protect(table)]


# A deed changes rights or the standing of an account. PostgreSQL notes itself in which transaction an audit event was
# written, so no statement can claim the event of another transaction.
NOTE_TRANSACTION = """
CREATE FUNCTION moderation_note_transaction() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.transaction := pg_current_xact_id()::text::bigint;
    RETURN NEW;
END $$
"""
NOTE_EACH = """
CREATE TRIGGER moderation_auditevent_transaction BEFORE INSERT ON moderation_auditevent
FOR EACH ROW EXECUTE FUNCTION moderation_note_transaction()
"""
NEEDS_DEED = """
CREATE FUNCTION moderation_needs_deed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    rows jsonb[] := CASE TG_OP
        WHEN 'INSERT' THEN ARRAY[to_jsonb(NEW)]
        WHEN 'DELETE' THEN ARRAY[to_jsonb(OLD)]
        ELSE ARRAY[to_jsonb(OLD), to_jsonb(NEW)] END;
    changed jsonb;
BEGIN
    FOREACH changed IN ARRAY rows LOOP
        IF NOT EXISTS (
            SELECT FROM moderation_auditevent
            WHERE transaction = pg_current_xact_id()::text::bigint AND verb NOT IN ('report_filed', 'case_opened')
            AND objects_touched @> jsonb_build_object('person', changed ->> TG_ARGV[0])
        ) THEN
            RAISE EXCEPTION '% of % needs an audit event about the account in the same transaction', TG_OP,
                TG_TABLE_NAME USING ERRCODE = 'restrict_violation', HINT = 'Use a verb of accounts/models/rights.py.';
        END IF;
    END LOOP;
    RETURN NULL;
END $$
"""
COLUMNS = ("may_host", "suspended_until", "is_staff", "is_superuser", "is_active")
MEMBERSHIPS = ("accounts_user_groups", "accounts_user_user_permissions")


def guard_accounts() -> list[str]:
    """Statements after which rights of accounts change only with an audit event about the account."""
    call = "FOR EACH ROW {when} EXECUTE FUNCTION moderation_needs_deed('{key}')"
    differs = " OR ".join(f"OLD.{name} IS DISTINCT FROM NEW.{name}" for name in COLUMNS)
    given = "NEW.may_host OR NEW.is_staff OR NEW.is_superuser OR NOT NEW.is_active OR NEW.suspended_until IS NOT NULL"
    return [
        "CREATE TRIGGER accounts_user_deed_insert AFTER INSERT ON accounts_user "
        + call.format(when=f"WHEN ({given})", key="id"),
        "CREATE TRIGGER accounts_user_deed_update AFTER UPDATE ON accounts_user "
        + call.format(when=f"WHEN ({differs})", key="id"),
        *(
            f"CREATE TRIGGER {table}_deed AFTER INSERT OR UPDATE OR DELETE ON {table} "
            + call.format(when="", key="user_id")
            for table in MEMBERSHIPS
        ),
    ]


def free_accounts() -> list[str]:
    return [
        "DROP TRIGGER accounts_user_deed_insert ON accounts_user",
        "DROP TRIGGER accounts_user_deed_update ON accounts_user",
        *(f"DROP TRIGGER {table}_deed ON {table}" for table in MEMBERSHIPS),
    ]
