"""The report form: who gets it, what it says back."""

from collections.abc import Callable
from uuid import UUID

import pytest
from django.test import Client

from accounts.models import User
from moderation.models import Report
from recordings.models import Recording
from rooms import rules
from rooms.models import Participant, Space
from rooms.rules import Action, Role

Browser = Callable[[User], Client]
Address = Callable[..., str]
FRAGMENT = {"HX-Request": "true"}


# Refusals


def test_anonymous_is_sent_to_the_log_in(client: Client, speaker: Participant, report_address: Address) -> None:
    answer = client.post(report_address(speaker), {"reason": "hate"})
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_stranger_gets_404(
    log_in: Browser, dee: User, speaker: Participant, report_address: Address, method: str
) -> None:
    assert getattr(log_in(dee), method)(report_address(speaker), {"reason": "hate"}).status_code == 404


@pytest.mark.parametrize("query", ["", "space=", "space=1", "space=%00", f"space={UUID(int=1)}"])
def test_no_such_space_is_404(log_in: Browser, lior: User, query: str) -> None:
    assert log_in(lior).get(f"/report/?{query}").status_code == 404


def test_a_person_of_another_space_is_404(
    log_in: Browser, lior: User, listener: Participant, report_address: Address, tea: Space
) -> None:
    browser = log_in(lior)
    for participant in ("x", str(UUID(int=1))):
        assert browser.get(f"/report/?space={tea.pk}&participant={participant}").status_code == 404


def test_a_reason_has_to_be_chosen(
    log_in: Browser, lior: User, listener: Participant, speaker: Participant, report_address: Address
) -> None:
    for reason in ("", "boring"):
        answer = log_in(lior).post(report_address(speaker), {"reason": reason}, headers=FRAGMENT)
        assert b"errorlist" in answer.content
    assert not Report.objects.exists()


def test_the_form_says_who_learns_nothing(
    log_in: Browser, lior: User, listener: Participant, speaker: Participant, report_address: Address, tea: Space
) -> None:
    host = tea.participants.get(user=tea.host)
    about_the_host = log_in(lior).get(report_address(host)).content.decode()
    assert "@hana is not told that you reported them." in about_the_host
    assert "nor the host" not in about_the_host
    assert "Neither @sol nor the host is told" in log_in(lior).get(report_address(speaker)).content.decode()


def test_too_long_a_text_is_refused(
    log_in: Browser, lior: User, listener: Participant, speaker: Participant, report_address: Address
) -> None:
    answer = log_in(lior).post(report_address(speaker), {"reason": "hate", "text": "x" * 1001}, headers=FRAGMENT)
    assert "at most 1000 characters" in answer.content.decode()
    assert not Report.objects.exists()


def test_on_oneself_is_refused_with_words(
    log_in: Browser, sol: User, speaker: Participant, report_address: Address
) -> None:
    answer = log_in(sol).post(report_address(speaker), {"reason": "hate"}, headers=FRAGMENT)
    assert "You cannot report yourself" in answer.content.decode()


@pytest.mark.parametrize(("headers", "status"), [({}, 403), (FRAGMENT, 200)])
def test_there_is_no_form_for_what_would_be_refused(
    log_in: Browser, hana: User, sol: User, host: Participant, speaker: Participant, report_address: Address,
    headers: dict[str, str], status: int,
) -> None:  # fmt: skip
    for person, address in ((hana, report_address()), (hana, report_address(host)), (sol, report_address(speaker))):
        answer = log_in(person).get(address, headers=headers)
        assert answer.status_code == status
        assert "You cannot report yourself or a Space that you host." in answer.content.decode()
        assert "csrfmiddlewaretoken" not in answer.content.decode().split('id="report-part"')[1].split("</main>")[0]


def test_after_the_purge_there_is_nothing_to_report(
    log_in: Browser, lior: User, tea: Space, listener: Participant, report_address: Address
) -> None:
    tea.end()
    Recording.open_for(tea).close()
    Recording.objects.update(state=Recording.State.PURGED)
    assert log_in(lior).get(report_address()).status_code == 404


def test_what_a_role_may_not_do_is_said_on_the_form(
    log_in: Browser, lior: User, listener: Participant, speaker: Participant, report_address: Address,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setitem(rules.TABLE, Role.LISTENER, rules.TABLE[Role.LISTENER] - {Action.REPORT})
    browser = log_in(lior)
    for answer in (browser.get(report_address(speaker)), browser.post(report_address(speaker), {"reason": "hate"})):
        assert "Your role in this Space does not allow that." in answer.content.decode()
    assert not Report.objects.exists()


def test_a_form_without_its_token_is_refused(
    lior: User, listener: Participant, speaker: Participant, report_address: Address
) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(lior)
    assert browser.post(report_address(speaker), {"reason": "hate"}).status_code == 403
    assert not Report.objects.exists()


# What works


def test_the_form_is_a_fragment_for_the_dialogue_and_a_page_otherwise(
    log_in: Browser, lior: User, listener: Participant, speaker: Participant, report_address: Address
) -> None:
    browser = log_in(lior)
    fragment = browser.get(report_address(speaker), headers=FRAGMENT).content.decode()
    page = browser.get(report_address(speaker)).content.decode()
    assert "<html" not in fragment
    assert "hx-post" in fragment
    assert "<html" in page
    assert "hx-post" not in page  # boosted: the whole page is loaded again
    for text in (fragment, page):
        assert "Report Sol Aker" in text
        assert "csrfmiddlewaretoken" in text


def test_sending_it_files_the_report_and_says_what_happens_next(
    log_in: Browser, lior: User, listener: Participant, speaker: Participant, report_address: Address
) -> None:
    answer = log_in(lior).post(report_address(speaker), {"reason": "hate", "text": "called us names"}, headers=FRAGMENT)
    assert answer.status_code == 200
    assert "Your report is with the safety team" in answer.content.decode()
    filed = Report.objects.get()
    assert (filed.reporter, filed.subject, filed.reason, filed.text) == (lior, speaker, "hate", "called us names")


def test_without_a_person_it_is_about_the_space(
    log_in: Browser, lior: User, listener: Participant, report_address: Address
) -> None:
    browser = log_in(lior)
    assert "Report this Space" in browser.get(report_address(), headers=FRAGMENT).content.decode()
    browser.post(report_address(), {"reason": "spam"})
    assert Report.objects.get().about_the_space


def test_the_form_has_neither_inline_script_nor_style(
    log_in: Browser, lior: User, listener: Participant, speaker: Participant, report_address: Address
) -> None:
    text = log_in(lior).get(report_address(speaker), headers=FRAGMENT).content.decode()
    assert "<script" not in text
    assert "style=" not in text
    assert "onclick" not in text
