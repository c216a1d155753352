"""Pictures of people: uploads are decoded by a process of its own, whatever they do to it."""

import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from PIL import Image
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts import budgets
from accounts.models import User
from accounts.pictures import avatars
from tests.accounts.pictures.test_decode import bomb, picture

LogIn = Callable[[User], Client]


def squared(content: bytes) -> Image.Image:
    made = Image.open(avatars.square_avatar(ContentFile(content, name="x")))
    made.load()
    return made


@pytest.fixture(autouse=True)
def _uploads(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


def test_an_upload_becomes_a_square_webp() -> None:
    made = squared(picture((900, 600)))
    assert (made.format, made.size, made.mode) == ("WEBP", (512, 512), "RGB")


@pytest.mark.parametrize(
    ("content", "code"),
    [(bomb(20_000), "avatar_pixels"), (b"hello", "avatar_unreadable"), (b"", "avatar_unreadable")],
    ids=["bomb", "text", "empty"],
)
def test_what_the_process_refuses_is_said_in_words(content: bytes, code: str) -> None:
    with pytest.raises(ValidationError) as refused:
        squared(content)
    assert refused.value.code == code


def test_a_large_file_is_refused_unread() -> None:
    upload = ContentFile(b"", name="x")
    upload.size = avatars.UPLOAD_BYTES + 1
    with pytest.raises(ValidationError, match="too large"):
        avatars.square_avatar(upload)


@pytest.mark.parametrize(
    "program",
    [
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (1 << 28, 1 << 28)); bytes(1 << 30)",
        "import time; time.sleep(60)",
        "import os; os.abort()",
        "",
    ],
    ids=["fails", "too slow", "crashes", "writes nothing"],
)
def test_a_process_that_fails_costs_nothing_but_the_picture(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(avatars, "DECODER", [sys.executable, "-I", "-c", program])
    monkeypatch.setattr(avatars, "DECODE_SECONDS", 1.0)
    with pytest.raises(ValidationError, match=r"cannot be read|too much time or memory"):
        squared(picture())
    monkeypatch.undo()
    assert squared(picture()).size == (512, 512)


@pytest.mark.parametrize("exit_", ["sys.exit(5)", "os.kill(os.getpid(), signal.SIGXCPU)"])
def test_what_costs_too_much_is_said(exit_: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program = f"import os, signal, sys; {exit_}"
    monkeypatch.setattr(avatars, "DECODER", [sys.executable, "-I", "-c", program])
    with pytest.raises(ValidationError, match="too much time or memory"):
        squared(picture())


@pytest.mark.django_db(transaction=True)
def test_no_connection_is_held_while_a_picture_is_decoded(hana: User) -> None:
    assert connection.connection is not None
    squared(picture())
    assert connection.connection is None


def test_the_budget_is_spent_before_a_picture_is_decoded(
    log_in: LogIn, hana: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = log_in(hana)
    budgets.spend(budgets.PICTURE, hana.pk, amount=10)
    monkeypatch.setattr(avatars, "DECODER", ["/nothing/is/started"])
    assert "You have changed your picture many times" in upload(browser, picture()).content.decode()


def test_more_pictures_at_once_than_places_are_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(avatars, "_places", BoundedSemaphore(1))
    monkeypatch.setattr(avatars, "WAIT_SECONDS", 0.01)
    with avatars._places, pytest.raises(ValidationError, match="Try again in a moment"):
        squared(picture())
    assert squared(picture()).size == (512, 512)


def test_the_largest_pictures_four_at_once_cost_this_process_little() -> None:
    content = picture((4096, 3072), "PNG", "RGBA")
    before = resident_mib()
    with ThreadPoolExecutor(4) as pool:
        sizes = list(pool.map(lambda _: squared(content).size, range(4)))
    grown = resident_mib() - before
    print(f"grew by {grown:.0f} MiB")
    assert sizes == [(512, 512)] * 4
    assert grown < 50


def resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


# On the page


def upload(browser: Client, content: bytes, **fields: str) -> Any:
    file = SimpleUploadedFile("me.png", content, content_type="image/png")
    return browser.post("/me/profile/", {"display_name": "Hana", "bio": "", "avatar": file} | fields)


def test_a_member_changes_the_picture_and_the_old_file_goes(
    log_in: LogIn, hana: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks, tmp_path: Path
) -> None:
    browser = log_in(hana)
    with django_capture_on_commit_callbacks(execute=True):
        assert upload(browser, picture(form="PNG")).status_code == 302
    hana.refresh_from_db()
    first = hana.avatar.name
    with django_capture_on_commit_callbacks(execute=True):
        upload(browser, picture((40, 40), "PNG"))
    hana.refresh_from_db()
    assert hana.avatar.name != first
    assert [f"avatars/{path.name}" for path in (tmp_path / "avatars").iterdir()] == [hana.avatar.name]


def test_the_picture_is_served_with_a_long_cache(log_in: LogIn, client: Client, hana: User) -> None:
    upload(log_in(hana), picture(form="PNG"))
    hana.refresh_from_db()
    answer = client.get(hana.avatar.url)
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/webp")
    assert "immutable" in answer["Cache-Control"]
    assert answer["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("name", ["none.webp", "..%2f..%2fetc%2fpasswd", "../secret.webp", "x.png"])
def test_no_other_file_is_served(client: Client, db: None, name: str) -> None:
    assert client.get(f"/uploads/avatars/{name}").status_code == 404


def test_a_member_removes_the_picture(
    log_in: LogIn, hana: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks, tmp_path: Path
) -> None:
    browser = log_in(hana)
    upload(browser, picture(form="PNG"))
    with django_capture_on_commit_callbacks(execute=True):
        browser.post("/me/profile/", {"display_name": "Hana", "remove_avatar": "on"})
    hana.refresh_from_db()
    assert not hana.avatar
    assert list((tmp_path / "avatars").iterdir()) == []


def test_a_refused_picture_changes_nothing_and_says_why(log_in: LogIn, hana: User) -> None:
    answer = upload(log_in(hana), b"no picture", display_name="Changed")
    assert answer.status_code == 200
    assert "cannot be read as a picture" in answer.content.decode()
    hana.refresh_from_db()
    assert (hana.display_name, bool(hana.avatar)) == ("Hana Mori", False)


def test_the_same_rules_hold_for_a_bomb_on_the_page(log_in: LogIn, hana: User) -> None:
    page = upload(log_in(hana), bomb(20_000)).content.decode()
    assert "too many pixels" in page
