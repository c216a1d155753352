"""What reaches the person concerned, and that only staff learn who reported."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.models import User
from moderation.models import Case, Notice, Report
from moderation.rules import Kind
from recordings.models import Hold, Receipt
from rooms.live import snapshot
from rooms.models import Participant, Space
from tests.conftest import PASSWORD
from tests.moderation.conftest import TEXT

Browser = Callable[[User], Client]
PAGE = {"Accept": "text/html,*/*"}
WHY = "At 12:05 you read out someone's address. Our rules forbid it."


@pytest.fixture
def suspended(claimed: Case, reviewer: User) -> Case:
    claimed.decide(reviewer, Kind.SUSPEND, WHY, timezone.now() + timedelta(days=7))
    return claimed


def page(browser: Client, address: str = "/me/following/") -> str:
    return browser.get(address, headers=PAGE).content.decode()


# The notice


def test_anonymous_sees_no_decisions(client: Client) -> None:
    assert client.get("/me/decisions/").status_code == 302


def test_one_sees_only_ones_own(log_in: Browser, suspended: Case, lior: User, sol: User) -> None:
    assert WHY in page(log_in(sol), "/me/decisions/").replace("&#x27;", "'")
    others = page(log_in(lior), "/me/decisions/")
    assert "Our rules forbid it" not in others
    assert "Nothing has been decided about you" in others


def test_the_next_page_shows_it_once(log_in: Browser, suspended: Case, sol: User) -> None:
    browser = log_in(sol)
    assert "Your account was suspended" in page(browser)
    assert "Your account was suspended" not in page(browser)
    assert Notice.objects.get().seen_at is not None


def test_the_first_time_that_it_was_seen_stays(log_in: Browser, suspended: Case, sol: User) -> None:
    first = timezone.now() - timedelta(days=1)
    sol.notices.mark_seen(first)
    page(log_in(sol), "/me/decisions/")
    assert Notice.objects.get().seen_at == first


def test_fragments_and_programs_do_not_use_the_notice_up(log_in: Browser, suspended: Case, sol: User) -> None:
    browser = log_in(sol)
    browser.get("/fleet/", headers=PAGE | {"HX-Request": "true"})
    browser.get("/api/spaces/", headers={"Accept": "application/json"})
    assert Notice.objects.unseen().count() == 1


def test_a_boosted_page_shows_it_too(log_in: Browser, suspended: Case, sol: User) -> None:
    boosted = PAGE | {"HX-Request": "true", "HX-Boosted": "true"}
    assert "Our rules forbid it" in log_in(sol).get("/me/following/", headers=boosted).content.decode()


def test_the_log_in_says_until_when_and_why(client: Client, suspended: Case, sol: User) -> None:
    form = {"login": "sol", "password": PASSWORD}
    answer = client.post("/accounts/login/", form, headers=PAGE, follow=True)
    text = answer.content.decode()
    assert "Your account is suspended until" in text
    assert "Why your account is suspended" in text
    assert "Our rules forbid it" in text


def test_a_member_who_is_not_suspended_logs_in_without_a_message(client: Client, lior: User) -> None:
    answer = client.post("/accounts/login/", {"login": "lior", "password": PASSWORD}, headers=PAGE, follow=True)
    assert "suspended" not in answer.content.decode()


def test_each_kind_is_said_in_its_own_words(tea: Space, hana: User, sol: User, claimed: Case, reviewer: User) -> None:
    claimed.decide(reviewer, Kind.END, WHY)
    said = {notice.user.handle: notice.headline for notice in Notice.objects.all()}
    assert said["hana"] == "Your Space “Tea at four” was ended"
    assert said["sol"].startswith("The Space “Tea at four” was ended because of")


def test_a_removal_is_said(claimed: Case, reviewer: User) -> None:
    claimed.decide(reviewer, Kind.REMOVE, WHY)
    assert Notice.objects.get().headline == "You were removed from the Space “Tea at four”"


# Who reported


@pytest.fixture
def informant(tea: Space, dee: User) -> Participant:
    """dee, who comes once, reports sol and leaves: nothing of hers stays in the room but the report."""
    dee.follow(tea.host)
    return tea.enter(dee)


@pytest.fixture
def reported(tea: Space, dee: User, speaker: Participant, informant: Participant) -> Case:
    case = Report.file(dee, tea, speaker, "private", TEXT).case
    informant.leave()
    dee.unfollow(tea.host)
    return case


def leaks(text: str, informant: Participant) -> list[str]:
    """Which of the reporter's marks are words of a text; within a random id the letters of a name say nothing."""
    report = Report.objects.get()
    marks = ["dee", "Dee Wong", TEXT, str(informant.pk), str(informant.user_id), str(report.pk), str(report.case_id)]
    return [mark for mark in marks if re.search(rf"\b{re.escape(mark)}\b", text)]


def test_filing_sends_no_event_at_all(
    tea: Space,
    dee: User,
    speaker: Participant,
    informant: Participant,
    sent: list[dict[str, Any]],
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    seq, version = Space.objects.values_list("seq", "standing_version").get(pk=tea.pk)
    with django_capture_on_commit_callbacks(execute=True) as callbacks:
        Report.file(dee, tea, speaker, "private", TEXT)
    assert {callback.func.__module__ for callback in callbacks} == {"moderation.security"}  # which writes a log
    assert sent == []
    assert Space.objects.values_list("seq", "standing_version").get(pk=tea.pk) == (seq, version)


@pytest.mark.parametrize("kind", [Kind.REMOVE, Kind.END, Kind.SUSPEND, Kind.DISMISS])
def test_the_events_of_a_decision_do_not_name_the_reporter(
    reported: Case,
    reviewer: User,
    informant: Participant,
    sent: list[dict[str, Any]],
    django_capture_on_commit_callbacks: Callable[..., Any],
    kind: Kind,
) -> None:
    reported.claim(reviewer)
    until = timezone.now() + timedelta(days=1) if kind == Kind.SUSPEND else None
    with django_capture_on_commit_callbacks(execute=True):
        reported.decide(reviewer, kind, WHY, until)
    assert bool(sent) is (kind != Kind.DISMISS)
    assert leaks(msgspec.json.encode(sent).decode(), informant) == []
    assert mail.outbox == []


@pytest.mark.django_db(transaction=True)
def test_pages_and_api_do_not_name_the_reporter(
    reported: Case, reviewer: User, tea: Space, informant: Participant, log_in: Browser, hana: User, sol: User
) -> None:
    reported.claim(reviewer)
    before = [page(log_in(hana), f"/spaces/{tea.pk}/"), page(log_in(hana), f"/api/spaces/{tea.pk}/")]
    reported.decide(reviewer, Kind.END, WHY)
    after = [
        page(log_in(person), address)
        for person in (hana, sol)
        for address in ("/", "/me/decisions/", f"/people/{sol.handle}/", f"/spaces/{tea.pk}/", "/api/spaces/")
    ]
    suggested = "Dee Wong"  # the home page may suggest any member
    for text in before + after:
        assert [mark for mark in leaks(text, informant) if mark not in ("dee", suggested)] == []
    for text in (page(log_in(sol), "/me/decisions/"), page(log_in(hana), "/me/decisions/")):
        assert leaks(text, informant) == []


def test_snapshot_and_standing_do_not_name_the_reporter(
    reported: Case, tea: Space, informant: Participant, host: Participant
) -> None:
    tea.refresh_from_db()
    assert leaks(msgspec.json.encode(snapshot.of(tea, host)).decode(), informant) == []
    assert leaks(msgspec.json.encode(tea.standing()).decode(), informant) == []


def test_holds_and_receipts_do_not_name_the_reporter(reported: Case, informant: Participant) -> None:
    hold = Hold.objects.get()
    shown = f"{hold} {hold.reason} {hold.by}".replace(str(reported.pk), "")
    assert leaks(shown, informant) == []
    assert not Receipt.objects.exists()


def test_the_thank_you_names_only_the_one_reported(
    log_in: Browser, tea: Space, lior: User, listener: Participant, speaker: Participant, report_address: Any
) -> None:
    answer = log_in(lior).post(report_address(speaker), {"reason": "hate"}, headers={"HX-Request": "true"})
    assert "lior" not in answer.content.decode()
    assert str(Case.objects.get().pk) not in answer.content.decode()
