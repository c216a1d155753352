"""Texts of reports and decisions: never changed, forgotten when nothing keeps them, and proven until then."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone

from accounts.models import User
from moderation.leaving import tasks
from moderation.models import AuditDetail, AuditEvent, Case, Decision, DecisionWords, Report, ReportWords
from moderation.models.append_only import AppendOnlyError
from moderation.rules import Kind
from recordings.models import Hold
from tests.moderation.conftest import TEXT

WHY = "You read out an address."


@pytest.fixture
def decided(claimed: Case, reviewer: User) -> Case:
    claimed.decide(reviewer, Kind.REMOVE, WHY)
    return claimed


def let_days_pass(case: Case, days: int, hold: bool = False) -> None:
    Case.objects.filter(pk=case.pk).update(decided_at=timezone.now() - timedelta(days=days))
    if not hold:
        Hold.objects.update(released_at=timezone.now())


def texts() -> tuple[str, str]:
    return Report.objects.get().text, Decision.objects.get().reason


def test_the_rows_prove_their_texts(decided: Case) -> None:
    report, decision = Report.objects.get(), Decision.objects.get()
    assert report.digest == report.words.digest
    assert decision.digest == decision.words.digest
    report.words.text = "something else"
    assert report.digest != report.words.digest


def test_equal_texts_have_different_digests(report: Report) -> None:
    words = report.words
    same = ReportWords(report=report, text=words.text, handle=words.handle, name=words.name, title=words.title)
    assert same.digest != report.digest


@pytest.mark.parametrize("model", [ReportWords, DecisionWords])
def test_the_models_refuse_changes(decided: Case, model: Any) -> None:
    row = model.objects.get()
    deeds = (row.save, row.delete, model.objects.all().delete, lambda: model.objects.update(salt="x"))
    for deed in (*deeds, lambda: model.objects.bulk_update([row], ["salt"])):
        with pytest.raises(AppendOnlyError):
            deed()


@pytest.mark.parametrize("model", [ReportWords, DecisionWords])
@pytest.mark.parametrize("statement", ["UPDATE {table} SET salt = salt", "DELETE FROM {table}"])
def test_the_database_refuses_changes(decided: Case, model: Any, statement: str) -> None:
    with pytest.raises(DatabaseError, match="written once"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format(table=model._meta.db_table))
    assert model.objects.exists()


def test_the_permission_to_forget_ends_with_the_verb(decided: Case) -> None:
    with transaction.atomic():
        assert ReportWords.objects.all().forget() == 1
        with pytest.raises(DatabaseError, match="written once"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("DELETE FROM moderation_decisionwords")
    assert DecisionWords.objects.exists()


@pytest.mark.parametrize(("who", "left"), [("sol", ("", "erased")), ("lior", ("", WHY)), ("hana", (TEXT, WHY))])
def test_texts_go_with_the_people_they_are_by_or_about(decided: Case, who: str, left: tuple[str, str]) -> None:
    User.objects.get(handle=who).erase()
    let_days_pass(decided, 91)
    tasks.forget_texts()
    assert texts() == left


def test_a_forgotten_report_keeps_its_facts_and_leaves_a_trail(decided: Case, sol: User, lior: User) -> None:
    sol.erase()
    let_days_pass(decided, 91)
    tasks.forget_texts()
    report = Report.objects.select_related("words").get()
    assert (report.handle, report.name, report.title) == ("erased",) * 3
    assert (report.reporter, report.subject_user_id, report.reason) == (lior, sol.pk, "private")
    event = AuditEvent.objects.get(verb=AuditEvent.Verb.WORDS_FORGOTTEN)
    assert event.objects_touched == {"case": str(decided.pk)}
    assert event.detail.facts == {"texts": 2}
    tasks.forget_texts()
    assert AuditEvent.objects.filter(verb=AuditEvent.Verb.WORDS_FORGOTTEN).count() == 1


def test_the_trail_of_a_suspension_loses_the_reason_too(claimed: Case, reviewer: User, sol: User) -> None:
    claimed.decide(reviewer, Kind.SUSPEND, WHY, timezone.now() + timedelta(days=7))
    assert AuditDetail.objects.filter(facts__reason=WHY).exists()
    sol.erase()
    let_days_pass(claimed, 91)
    tasks.forget_texts()
    assert not AuditDetail.objects.filter(facts__reason=WHY).exists()


def test_evidence_is_kept_for_ninety_days(decided: Case, sol: User) -> None:
    sol.erase()
    let_days_pass(decided, 89)
    tasks.forget_texts()
    assert texts() == (TEXT, WHY)


def test_a_hold_keeps_the_texts(decided: Case, sol: User) -> None:
    sol.erase()
    let_days_pass(decided, 91, hold=True)
    tasks.forget_texts()
    assert texts() == (TEXT, WHY)


def test_an_open_case_keeps_the_texts(claimed: Case, sol: User) -> None:
    sol.erase()
    tasks.forget_texts()
    assert Report.objects.get().text == TEXT


def test_old_cases_lose_their_texts(decided: Case, settings: LazySettings) -> None:
    settings.CASE_TEXT_DAYS = 100
    let_days_pass(decided, 99)
    tasks.forget_texts()
    assert texts() == (TEXT, WHY)
    let_days_pass(decided, 101)
    tasks.forget_texts()
    assert texts() == ("", "erased")


def test_pages_show_cases_without_texts(
    decided: Case, sol: User, log_in: Callable[[User], Client], settings: LazySettings
) -> None:
    settings.CASE_TEXT_DAYS = 100
    let_days_pass(decided, 101)
    tasks.forget_texts()
    page = log_in(sol).get("/me/decisions/").content.decode()
    assert "erased" in page
    assert WHY not in page
