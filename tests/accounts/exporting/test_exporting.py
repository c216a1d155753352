"""The export of a member's data: asked for, written by a worker, for this member only, and gone after a day."""

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts.exporting import tasks
from accounts.models import Export, Scope, User

LogIn = Callable[[User], Client]
PAGE = "/me/export/"


@pytest.fixture(autouse=True)
def _nothing_counted() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def unpacked(content: bytes) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        return {name: json.loads(packed.read(name)) for name in packed.namelist()}


def written(user: User) -> Export:
    Export.ask(user)
    tasks.sweep()
    return Export.objects.get(user=user)


def test_the_page_leads_from_the_wish_to_the_file(sol: User, log_in: LogIn) -> None:
    browser = log_in(sol)
    assert "Gather my data" in browser.get(PAGE).content.decode()
    browser.post(PAGE)
    page = browser.get(PAGE).content.decode()
    assert "are being gathered" in page
    assert "every 3s" in page
    tasks.sweep()
    page = browser.get(PAGE).content.decode()
    assert "are ready" in page
    assert "every 3s" not in page
    answer = browser.get(f"/me/export/{Export.objects.get().pk}.zip")
    assert answer["Content-Type"] == "application/zip"
    assert answer["Cache-Control"] == "no-store"
    assert f"spaces-sol-{timezone.now():%Y-%m-%d}.zip" in answer["Content-Disposition"]
    assert unpacked(answer.content)["profile.json"]["handle"] == "sol"


def test_no_one_else_gets_the_file(sol: User, dee: User, mo: User, client: Client, log_in: LogIn) -> None:
    address = f"/me/export/{written(sol).pk}.zip"
    User.objects.filter(pk=mo.pk).update(is_superuser=True)
    assert log_in(dee).get(address).status_code == 404
    assert log_in(mo).get(address).status_code == 404
    assert client.get(address)["Location"].startswith("/accounts/login/")


def test_a_stranger_cannot_ask(client: Client, db: None) -> None:
    assert client.post(PAGE)["Location"].startswith("/accounts/login/")
    assert not Export.objects.exists()


def test_what_it_says_about_the_member(sol: User, hana: User, lior: User, dee: User) -> None:
    sol.follow(hana)
    lior.follow(sol)
    sol.block(dee)
    sol.make_token("my bot", [Scope.READ], 30)
    files = unpacked(bytes(written(sol).content or b""))
    assert [(one["handle"], one["state"]) for one in files["following.json"]] == [("hana", "accepted")]
    assert [one["handle"] for one in files["followers.json"]] == ["lior"]
    assert [one["handle"] for one in files["blocked.json"]] == ["dee"]
    assert files["tokens.json"][0]["name"] == "my bot"
    assert {"sessions.json", "second_factors.json", "spaces_hosted.json", "reports_filed.json"} <= set(files)


def test_no_secret_is_in_it(sol: User) -> None:
    sol.make_token("my bot", [Scope.READ], 30)
    text = json.dumps(unpacked(bytes(written(sol).content or b"")))
    assert sol.password not in text
    assert sol.api_tokens.get().digest not in text


def test_asking_twice_is_one_export_and_a_new_one_replaces_the_old(sol: User) -> None:
    assert Export.ask(sol) == Export.ask(sol)
    tasks.sweep()
    assert Export.ask(sol) == Export.objects.get()
    assert Export.objects.get().content is None


def test_it_goes_after_a_day(sol: User, log_in: LogIn) -> None:
    export = written(sol)
    Export.objects.update(until=timezone.now() - timedelta(seconds=1))
    assert log_in(sol).get(f"/me/export/{export.pk}.zip").status_code == 404
    tasks.sweep()
    assert not Export.objects.exists()


def test_it_goes_with_the_account(sol: User) -> None:
    written(sol)
    sol.erase()
    assert not Export.objects.exists()


def test_a_fault_is_tried_three_times_and_keeps_no_other_export(
    sol: User, dee: User, log_in: LogIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    Export.ask(sol)
    archive = tasks.archive

    def broken(user: User) -> bytes:
        if user == sol:
            raise OSError("no disk")
        return archive(user)

    monkeypatch.setattr(tasks, "archive", broken)
    for _ in range(3):
        with pytest.raises(ExceptionGroup):
            tasks.sweep()
    Export.ask(dee)
    tasks.sweep()
    assert Export.objects.get(user=dee).content
    browser = log_in(sol)
    assert "could not be gathered" in browser.get(PAGE).content.decode()
    browser.post(PAGE)
    assert "are being gathered" in browser.get(PAGE).content.decode()


def test_what_a_killed_worker_left_is_written_later(sol: User) -> None:
    export = Export.ask(sol)
    now = timezone.now()
    assert export.claim(now)
    assert not export.claim(now)
    tasks.sweep()
    assert not Export.objects.ready(now).exists()
    Export.objects.update(started_at=now - timedelta(minutes=16))
    tasks.sweep()
    assert Export.objects.ready(now).exists()


def test_a_fourth_export_in_a_day_is_refused_in_words(sol: User, log_in: LogIn) -> None:
    browser = log_in(sol)
    for _ in range(3):
        assert browser.post(PAGE).status_code == 302
    answer = browser.post(PAGE)
    assert "You have asked for your data several times today." in answer.content.decode()
