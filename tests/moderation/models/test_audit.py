"""The trail: written with the deed, never changed, by whatever way one tries."""

import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction

from accounts.models import User
from moderation import triggers
from moderation.models import AuditDetail, AuditEvent, Case, Decision, DecisionWords, Report, ReportWords
from moderation.models.append_only import AppendOnlyError
from moderation.refusals import Refused
from moderation.rules import Kind

TABLES = [AuditEvent, Decision, Report]


@pytest.fixture
def written(claimed: Case, reviewer: User) -> Case:
    """A case with everything that is written once."""
    claimed.decide(reviewer, Kind.DISMISS, "Nothing was found.")
    return claimed


@pytest.mark.parametrize("model", TABLES)
def test_the_models_refuse(written: Case, model: Any) -> None:
    row = model.objects.first()
    for deed in (row.save, row.delete, model.objects.all().delete, lambda: model.objects.update(id=row.pk)):
        with pytest.raises(AppendOnlyError):
            deed()
    with pytest.raises(AppendOnlyError):
        model.objects.bulk_update([row], ["verb" if model is AuditEvent else "digest"])


@pytest.mark.parametrize("model", TABLES)
@pytest.mark.parametrize("statement", ["UPDATE {table} SET id = id", "DELETE FROM {table}"])
def test_the_database_refuses(written: Case, model: Any, statement: str) -> None:
    with pytest.raises(DatabaseError, match="written once"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format(table=model._meta.db_table))
    assert model.objects.exists()


@pytest.fixture
def elsewhere() -> Iterator[psycopg.Connection[Any]]:
    """A connection to the server's own database, which is not named like one of the tests."""
    names = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD"}
    described: dict[str, Any] = {name: settings.DATABASES["default"][key] or None for name, key in names.items()}
    with psycopg.connect(dbname="postgres", **described) as other:
        yield other
        other.rollback()


def test_truncate_is_refused_outside_the_tests(db: None, elsewhere: psycopg.Connection[Any]) -> None:
    elsewhere.execute("CREATE TEMPORARY TABLE trail (id int)")
    elsewhere.execute(triggers.FUNCTION.replace("moderation_written_once", "pg_temp.moderation_written_once"))
    for statement in triggers.protect("trail"):
        elsewhere.execute(statement.replace("FUNCTION ", "FUNCTION pg_temp."))
    with pytest.raises(psycopg.errors.RestrictViolation, match="TRUNCATE"):
        elsewhere.execute("TRUNCATE trail")


def test_every_protected_table_has_its_triggers(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgname FROM pg_trigger WHERE tgname ~ '^moderation_.*_(rows|table)$'")
        names = {name for (name,) in cursor.fetchall()}
    protected = [*TABLES, DecisionWords, ReportWords]
    assert names == {f"{model._meta.db_table}_{part}" for model in protected for part in ("rows", "table")}


def test_a_refused_deed_leaves_no_trail(claimed: Case, reviewer: User) -> None:
    before = AuditEvent.objects.count()
    with pytest.raises(Refused):
        claimed.decide(reviewer, Kind.DISMISS, "")
    assert AuditEvent.objects.count() == before


def test_the_rows_carry_opaque_ids_alone(written: Case) -> None:
    for event in AuditEvent.objects.all():
        assert all(re.fullmatch(r"[0-9a-f-]{36}", key) for key in event.objects_touched.values())


def test_what_stands_beside_can_be_erased(written: Case) -> None:
    decided = AuditEvent.objects.get(verb=AuditEvent.Verb.CASE_DECIDED)
    assert decided.detail.facts == {"kind": "dismiss"}
    AuditDetail.objects.all().delete()
    assert AuditEvent.objects.filter(pk=decided.pk).exists()


def test_a_case_has_its_trail(written: Case) -> None:
    verbs = list(AuditEvent.objects.of_case(written.pk).order_by("id").values_list("verb", flat=True))
    assert verbs == ["case_opened", "report_filed", "case_claimed", "case_decided"]
