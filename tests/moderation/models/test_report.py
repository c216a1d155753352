"""Filing a report: who may, what is frozen, what is held."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from unittest.mock import patch

import pytest
from django.utils import timezone

from accounts.models import User
from moderation import rules
from moderation.models import AuditEvent, Case, Report
from moderation.models.report import reportable_by
from moderation.refusals import Refused
from moderation.rules import Reason
from moderation.severity import Severity
from recordings import purging
from recordings.models import Hold, Recording
from rooms import rules as rooms_rules
from rooms.models import Participant, Space
from rooms.refusals import Refused as RoleRefused
from rooms.rules import Action, Role
from rooms.rules import Reason as RoleReason
from tests.moderation.conftest import TEXT, outcomes
from tests.rig.rights import give


def refused(reporter: User, space: Space, subject: Participant | None, text: str = "") -> Reason:
    with pytest.raises(Refused) as refusal:
        Report.file(reporter, space, subject, "hate", text)
    assert refusal.value.text
    return refusal.value.reason


# Refusals


def test_a_person_who_was_never_inside_cannot_report(tea: Space, dee: User, speaker: Participant) -> None:
    with pytest.raises(Participant.DoesNotExist):
        Report.file(dee, tea, speaker, "hate")
    assert not Report.objects.exists()
    assert not Case.objects.exists()


def test_members_do_not_report_themselves(
    tea: Space, hana: User, sol: User, speaker: Participant, host: Participant
) -> None:
    assert refused(sol, tea, speaker) == Reason.ON_YOURSELF
    assert refused(hana, tea, None) == Reason.ON_YOURSELF
    assert not Case.objects.exists()


def test_a_person_of_another_space_cannot_be_reported(
    tea: Space, lior: User, listener: Participant, dee: User, open_space: Callable[..., Space]
) -> None:
    give(dee, may_host=True)
    other = open_space(dee).enter(dee)
    assert refused(lior, tea, other) == Reason.NOT_IN_THE_SPACE


def test_too_long_a_text_is_refused(tea: Space, lior: User, speaker: Participant, listener: Participant) -> None:
    assert refused(lior, tea, speaker, "x" * 1001) == Reason.TEXT_TOO_LONG
    assert Report.file(lior, tea, speaker, "hate", "x" * 1000)


def test_too_many_reports_within_an_hour_are_refused(
    tea: Space, lior: User, speaker: Participant, listener: Participant
) -> None:
    for number in range(rules.REPORTS_PER_HOUR):
        Report.file(lior, tea, speaker, "hate", f"for the {number}. time")
    assert refused(lior, tea, speaker, "once more") == Reason.TOO_MANY_REPORTS


def test_a_space_whose_sound_is_gone_cannot_be_reported(
    tea: Space, lior: User, speaker: Participant, listener: Participant
) -> None:
    tea.end()
    Recording.open_for(tea).close()
    Recording.objects.update(state=Recording.State.PURGED)
    assert refused(lior, tea, speaker) == Reason.SOUND_IS_GONE


def test_a_space_can_be_reported_by_people_who_were_there_while_there_is_sound(
    tea: Space, lior: User, dee: User, listener: Participant
) -> None:
    assert reportable_by(lior).get() == tea
    assert not reportable_by(dee).exists()
    tea.end()
    recording = Recording.open_for(tea)
    recording.close()
    assert reportable_by(lior).get() == tea
    purged = timezone.now() + timedelta(days=31)
    with patch.object(timezone, "now", return_value=purged):
        _receipts, faults = purging.purge_due(purged)  # those of strays of other tests are among them
    assert faults == []
    recording.refresh_from_db()
    assert recording.state == Recording.State.PURGED
    assert not reportable_by(lior).exists()


def test_what_the_table_of_roles_refuses_is_refused_with_its_reason(
    tea: Space, lior: User, speaker: Participant, listener: Participant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(rooms_rules.TABLE, Role.LISTENER, rooms_rules.TABLE[Role.LISTENER] - {Action.REPORT})
    with pytest.raises(RoleRefused) as refusal:
        Report.file(lior, tea, speaker, "hate")
    assert refusal.value.reason == RoleReason.NOT_YOUR_ROLE
    assert not Case.objects.exists()


# What is written


def test_a_report_freezes_who_role_and_room_time(tea: Space, sol: User, report: Report) -> None:
    tea.started_at = report.created_at - timedelta(seconds=42)
    sol.handle, sol.display_name = "moon", "Another Name"
    sol.save()
    report.refresh_from_db()
    assert (report.handle, report.name, report.role, report.mute) == ("sol", "Sol Aker", "speaker", "open")
    assert report.subject_user == sol
    assert report.title == "Tea at four"
    assert 0 <= report.room_ms < 60_000


def test_room_time_counts_from_the_start(tea: Space, lior: User, speaker: Participant, listener: Participant) -> None:
    Space.objects.filter(pk=tea.pk).update(started_at=timezone.now() - timedelta(minutes=3))
    assert 180_000 <= Report.file(lior, tea, speaker, "hate").room_ms < 190_000


def test_a_report_after_leaving_is_about_the_moment_of_leaving(
    tea: Space, lior: User, speaker: Participant, listener: Participant
) -> None:
    Space.objects.filter(pk=tea.pk).update(started_at=timezone.now() - timedelta(minutes=3))
    listener.leave()
    Participant.objects.filter(pk=listener.pk).update(left_at=timezone.now() - timedelta(minutes=1))
    assert 119_000 <= Report.file(lior, tea, speaker, "hate").room_ms < 130_000


def test_an_ended_space_can_be_reported_while_its_sound_is_kept(
    tea: Space, lior: User, speaker: Participant, listener: Participant
) -> None:
    tea.end()
    report = Report.file(lior, tea, speaker, "hate")
    assert report.room_ms <= tea.__class__.objects.get(pk=tea.pk).room_ms


def test_a_removed_person_can_report_what_happened_to_them(
    tea: Space, lior: User, host: Participant, listener: Participant
) -> None:
    listener.remove(by=host)
    assert Report.file(lior, tea, host, "harassment").subject == host


def test_the_space_itself_is_reported_as_its_hosts(tea: Space, hana: User, lior: User, listener: Participant) -> None:
    report = Report.file(lior, tea, None, "spam")
    assert report.about_the_space
    assert report.case.subject == hana
    assert report.role == "host"


def test_the_sound_is_held_under_the_number_of_the_case(tea: Space, report: Report, lior: User) -> None:
    hold = Hold.objects.get()
    assert hold.recording.space == tea
    assert (hold.kind, hold.case_ref, hold.by) == ("report", str(report.case_id), None)
    assert hold.until > timezone.now() + timedelta(days=89)
    assert "lior" not in hold.reason
    assert TEXT not in hold.reason


def test_later_reports_join_the_case_and_the_worst_counts(
    tea: Space, hana: User, report: Report, speaker: Participant, host: Participant
) -> None:
    assert report.case.severity == Severity.HIGH
    later = Report.file(hana, tea, speaker, "violence")
    assert later.case_id == report.case_id
    assert later.case.severity == Severity.URGENT
    assert Report.file(hana, tea, speaker, "spam").case.severity == Severity.URGENT
    assert Hold.objects.count() == 1


def test_reports_in_order_follow_the_room_time(
    tea: Space, lior: User, speaker: Participant, report: Report, django_assert_num_queries: Callable[..., Any]
) -> None:
    Space.objects.filter(pk=tea.pk).update(started_at=timezone.now() - timedelta(minutes=3))
    later = Report.file(lior, tea, speaker, "hate", "second")
    Space.objects.filter(pk=tea.pk).update(started_at=timezone.now() - timedelta(minutes=2))
    between = Report.file(lior, tea, speaker, "hate", "third")
    with django_assert_num_queries(1):
        found = list(report.case.reports.in_order())
        assert {one.reporter.handle for one in found} == {"lior"}
    assert found == [report, between, later]


def test_the_same_report_within_a_minute_is_one(tea: Space, lior: User, speaker: Participant, report: Report) -> None:
    assert Report.file(lior, tea, speaker, "private", f" {TEXT} ") == report
    assert Report.objects.count() == 1
    assert Report.file(lior, tea, speaker, "private", "something else") != report


def test_a_report_after_the_decision_opens_a_new_case(
    claimed: Case, reviewer: User, lior: User, tea: Space, speaker: Participant
) -> None:
    claimed.decide(reviewer, rules.Kind.DISMISS, "Nothing of the kind was said.")
    again = Report.file(lior, tea, speaker, "private", "again")
    assert again.case_id != claimed.pk
    assert again.case.state == Case.State.NEW


def test_filing_is_in_the_trail(report: Report, lior: User) -> None:
    filed = AuditEvent.objects.get(verb=AuditEvent.Verb.REPORT_FILED)
    assert filed.actor == lior.pk
    assert filed.objects_touched["report"] == str(report.pk)
    opened = AuditEvent.objects.get(verb=AuditEvent.Verb.CASE_OPENED)
    assert opened.objects_touched["case"] == str(report.case_id)


def test_reports_at_once_open_one_case(
    transactional_db: None, tea: Space, hana: User, lior: User, speaker: Participant, listener: Participant
) -> None:
    both = [partial(Report.file, by, tea, speaker, "hate") for by in (hana, lior)]
    assert outcomes(*both) == ["done", "done"]
    assert Report.objects.count() == 2
    assert Case.objects.count() == Hold.objects.count() == 1


def test_ten_at_once_are_not_eleven(
    transactional_db: None, tea: Space, lior: User, speaker: Participant, listener: Participant
) -> None:
    for number in range(rules.REPORTS_PER_HOUR - 1):
        Report.file(lior, tea, speaker, "hate", f"for the {number}. time")
    three = [partial(Report.file, lior, tea, speaker, "hate", word) for word in ("one", "two", "three")]
    assert outcomes(*three) == ["done", "too_many_reports", "too_many_reports"]
