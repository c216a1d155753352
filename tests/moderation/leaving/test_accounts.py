"""Accounts that are erased while there are cases: by whom, and about whom."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import Closing, User
from accounts.refusals import Refused as OfAccounts
from moderation.models import AuditDetail, AuditEvent, Case, Report
from moderation.refusals import Refused
from moderation.rules import Kind
from recordings.models import Hold
from rooms.models import Participant, Space

LogIn = Callable[[User], Client]


def test_the_trail_says_who_closed_and_why(sol: User) -> None:
    root = User.objects.create_superuser("root")
    closing = Closing.start(sol, by=root, reason="asked by email")
    closing.withdraw()
    Closing.start(sol, by=sol)
    sol.erase()
    events = AuditEvent.objects.filter(objects_touched__person=str(sol.pk)).order_by("id")
    assert [(event.verb, event.actor) for event in events] == [
        ("account_closed", root.pk),
        ("account_reopened", sol.pk),
        ("account_closed", sol.pk),
        ("account_erased", None),
    ]
    assert AuditDetail.objects.get(event=events[0]).facts == {"reason": "asked by email"}


def test_only_superusers_close_the_account_of_another(sol: User, hana: User, reviewer: User) -> None:
    root = User.objects.create_superuser("root")
    for by, reason, code in (
        (hana, "x", "deed_not_permitted"),
        (reviewer, "x", "deed_not_permitted"),
        (root, " ", "reason"),
    ):
        with pytest.raises(OfAccounts, match=code):
            Closing.start(sol, by=by, reason=reason)
    assert User.objects.get(pk=sol.pk).is_active


def test_staff_with_claimed_cases_do_not_close_their_account(claimed: Case, reviewer: User) -> None:
    with pytest.raises(Refused, match="claims_open"):
        Closing.start(reviewer, by=reviewer)
    assert User.objects.get(pk=reviewer.pk).is_active


def test_staff_with_claimed_cases_stay(claimed: Case, reviewer: User) -> None:
    with pytest.raises(Refused, match="claims_open"):
        reviewer.erase()
    claimed.release(reviewer)
    reviewer.erase()
    assert User.objects.get(pk=reviewer.pk).is_gone


def test_evidence_about_a_member_who_left_stays(claimed: Case, reviewer: User, sol: User, report: Report) -> None:
    sol.erase()
    assert Hold.objects.filter(case_ref=str(claimed.pk), released_at=None).exists()
    assert (claimed.subject, report.subject_user) == (sol, sol)
    claimed.decide(reviewer, Kind.DISMISS, "No breach.")
    assert claimed.decision is not None


def test_a_reporter_who_left_has_filed_the_report(report: Report, lior: User) -> None:
    lior.erase()
    assert Report.objects.get().reporter_id == lior.pk


def test_the_report_form_names_and_links_no_erased_person(
    tea: Space, lior: User, sol: User, hana: User, speaker: Participant, listener: Participant, log_in: LogIn
) -> None:
    address = f"/report/?space={tea.pk}&participant={speaker.pk}"
    browser = log_in(lior)
    assert "@sol" in browser.get(address).content.decode()
    tea.end()
    for person in (sol, hana):
        person.erase()
    form = browser.get(address).content.decode()
    thanks = browser.post(address, {"reason": "hate"}).content.decode()
    assert "Deleted account" in form
    assert "Deleted account" in thanks
    assert "gone_" not in form + thanks + browser.get(f"/report/?space={tea.pk}").content.decode()
