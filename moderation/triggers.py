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
