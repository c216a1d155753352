"""Closing an account: at once for all others, with some days to come back, and then erased."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from structlog.testing import capture_logs

from accounts.leaving import coming_back, tasks
from accounts.models import Closing, User
from accounts.refusals import Refused
from tests.conftest import PASSWORD
from tests.rig.rights import give

LogIn = Callable[[User], Client]
LEAVING, COMING_BACK = "/me/leaving/", "/me/coming-back/"


def logged_in(browser: Client) -> bool:
    return browser.get("/me/profile/").status_code == 200


def enter(handle: str, password: str = PASSWORD) -> tuple[Client, Any]:
    browser = Client()
    return browser, browser.post("/accounts/login/", {"login": handle, "password": password})


def let_days_pass(user: User) -> None:
    Closing.objects.filter(user=user).update(erase_at=timezone.now() - timedelta(seconds=1))


def test_the_page_closes_the_account_and_says_until_when(sol: User, dee: User, log_in: LogIn) -> None:
    browser, other = log_in(sol), log_in(sol)
    assert "erased after 14 days" in browser.get(LEAVING).content.decode()
    answer = browser.post(LEAVING, {"password": PASSWORD})
    assert "Your account is closed" in answer.content.decode()
    closing = Closing.objects.get(user=sol)
    assert closing.erase_at - closing.closed_at == timedelta(days=14)
    assert not logged_in(browser)
    assert not logged_in(other)
    assert log_in(dee).get("/people/sol/").status_code == 404
    assert User.objects.get(pk=sol.pk).name == "Deleted account"


@pytest.mark.parametrize("password", ["", "wrong"])
def test_without_the_password_nothing_is_closed(sol: User, log_in: LogIn, password: str) -> None:
    browser = log_in(sol)
    assert browser.post(LEAVING, {"password": password}).status_code == 200
    assert logged_in(browser)
    assert not Closing.objects.exists()


def test_a_wrong_password_is_in_the_security_log(sol: User, log_in: LogIn) -> None:
    browser = log_in(sol)
    with capture_logs() as lines:
        browser.post(LEAVING, {"password": "wrong"})
    refused = [line for line in lines if line["event"] == "password_refused"]
    assert [line["member"] for line in refused] == [str(sol.pk)]
    assert "wrong" not in str(lines)


def test_a_stranger_is_sent_to_the_log_in(client: Client, db: None) -> None:
    assert client.get(LEAVING)["Location"].startswith("/accounts/login/")
    assert client.post(LEAVING, {"password": PASSWORD})["Location"].startswith("/accounts/login/")


def test_a_member_without_a_password_sets_one_first(sol: User, log_in: LogIn) -> None:
    sol.set_unusable_password()
    sol.save(update_fields=["password"])
    page = log_in(sol).get(LEAVING).content.decode()
    assert "Set a password" in page
    assert 'name="password"' not in page


def test_the_log_in_offers_to_come_back_and_all_is_as_before(sol: User, hana: User, log_in: LogIn) -> None:
    sol.follow(hana)
    old = log_in(sol)
    assert logged_in(old)
    log_in(sol).post(LEAVING, {"password": PASSWORD})
    browser, answer = enter("sol")
    assert answer["Location"] == COMING_BACK
    assert "@sol" in browser.get(COMING_BACK).content.decode()
    assert not logged_in(browser)
    assert browser.post(COMING_BACK)["Location"] == "/accounts/login/"
    assert browser.get(COMING_BACK).status_code == 404
    assert logged_in(enter("sol")[0])
    assert not logged_in(old), "a session from before came back"
    assert hana.is_followed_by(sol)
    assert not Closing.objects.exists()
    assert User.objects.get(pk=sol.pk).name == "Sol Aker"


def test_nobody_comes_back_for_another_person(sol: User, dee: User, client: Client, log_in: LogIn) -> None:
    Closing.start(sol, by=sol)
    assert client.post(COMING_BACK).status_code == 404
    assert log_in(dee).post(COMING_BACK).status_code == 404
    browser, _answer = enter("sol", "wrong")
    assert browser.post(COMING_BACK).status_code == 404
    assert not User.objects.get(pk=sol.pk).is_active


def test_the_offer_lapses(sol: User, monkeypatch: pytest.MonkeyPatch) -> None:
    Closing.start(sol, by=sol)
    browser, _answer = enter("sol")
    monkeypatch.setattr(coming_back, "SECONDS", -1)
    assert browser.post(COMING_BACK).status_code == 404


def test_the_sweep_erases_when_the_days_are_over_and_not_before(sol: User, dee: User) -> None:
    Closing.start(sol, by=sol)
    Closing.start(dee, by=dee)
    let_days_pass(dee)
    tasks.erase_due()
    assert User.objects.get(pk=sol.pk).handle == "sol"
    assert User.objects.get(pk=dee.pk).erased_at is not None
    assert [closing.user_id for closing in Closing.objects.all()] == [sol.pk]


def test_after_the_days_there_is_no_way_back(sol: User) -> None:
    closing = Closing.start(sol, by=sol)
    let_days_pass(sol)
    with pytest.raises(Closing.DoesNotExist):
        closing.withdraw()
    assert enter("sol")[1]["Location"] == "/accounts/inactive/"


def test_a_locked_account_is_not_opened_by_its_member(sol: User) -> None:
    sol.deactivate()
    Closing.start(sol)
    assert enter("sol")[1]["Location"] == "/accounts/inactive/"
    assert not User.objects.get(pk=sol.pk).is_active


def test_an_account_that_staff_activate_again_is_not_erased(sol: User) -> None:
    Closing.start(sol, by=sol)
    sol.activate()
    let_days_pass(sol)
    tasks.erase_due()
    assert User.objects.get(pk=sol.pk).name == "Sol Aker"


def test_closing_twice_keeps_the_first_date(sol: User) -> None:
    first = Closing.start(sol, by=sol)
    assert Closing.start(sol).erase_at == first.erase_at


def test_the_last_superuser_cannot_close_the_account(mo: User, log_in: LogIn) -> None:
    give(mo, is_superuser=True)
    answer = log_in(mo).post(LEAVING, {"password": PASSWORD})
    assert "This is the only superuser" in answer.content.decode()
    assert User.objects.get(pk=mo.pk).is_active


def test_one_account_that_cannot_be_erased_keeps_no_other(
    sol: User, dee: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for person in (sol, dee):
        Closing.start(person)
        let_days_pass(person)
    erase = User.erase

    def broken(person: User) -> None:
        if person.pk == min(sol.pk, dee.pk):
            raise OSError("no disk")
        erase(person)

    monkeypatch.setattr(User, "erase", broken)
    with pytest.raises(ExceptionGroup):
        tasks.erase_due()
    assert User.objects.exclude(erased_at=None).count() == 1


class TestCommand:
    def test_it_closes(self, sol: User, capsys: pytest.CaptureFixture[str]) -> None:
        call_command("erase_member", "@Sol")
        closing = Closing.objects.get(user=sol)
        assert closing.may_return
        assert f"{closing.erase_at:%Y-%m-%d}" in capsys.readouterr().out

    def test_it_erases_now(self, sol: User) -> None:
        call_command("erase_member", "sol", "--now")
        assert User.objects.get(pk=sol.pk).erased_at is not None

    def test_it_erases_an_account_that_is_closed_already(self, sol: User) -> None:
        Closing.start(sol, by=sol)
        call_command("erase_member", "sol", "--now")
        assert User.objects.get(pk=sol.pk).erased_at is not None

    def test_it_refuses_an_unknown_handle(self, db: None) -> None:
        with pytest.raises(CommandError, match="No such member: nobody"):
            call_command("erase_member", "nobody")

    def test_it_says_why_it_refuses_and_changes_nothing(self, mo: User) -> None:
        give(mo, is_superuser=True)
        with pytest.raises(CommandError, match="only superuser"):
            call_command("erase_member", "mo", "--now")
        assert User.objects.get(pk=mo.pk).is_active


def test_closing_raises_for_the_last_superuser(mo: User) -> None:
    give(mo, is_superuser=True)
    mo.refresh_from_db()
    with pytest.raises(Refused, match="last_superuser"):
        Closing.start(mo, by=mo)
