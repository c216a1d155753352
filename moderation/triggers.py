"""SQL of the triggers that refuse to change rows which are written once. Used by the migrations.

TRUNCATE is refused too, except in a database that is named `test_...`: between two tests Django empties tables by it.
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
    """Statements that let rows of `table` be written once and never changed, deleted or truncated."""
    call = f"ON {table} FOR EACH {{each}} EXECUTE FUNCTION moderation_written_once()"
    return [
        f"CREATE TRIGGER {table}_rows BEFORE UPDATE OR DELETE {call.format(each='ROW')}",
        f"CREATE TRIGGER {table}_table BEFORE TRUNCATE {call.format(each='STATEMENT')}",
    ]


def unprotect(table: str) -> list[str]:
    return [f"DROP TRIGGER {table}_rows ON {table}", f"DROP TRIGGER {table}_table ON {table}"]
