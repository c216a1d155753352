"""Pictures: what a member uploads becomes a small square without anything that was not a pixel."""

import io
import random
import struct
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts import avatars
from accounts.models import User

LogIn = Callable[[User], Client]


def picture(size: tuple[int, int] = (800, 600), form: str = "JPEG", mode: str = "RGB", **options: Any) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, "red" if mode in {"RGB", "P"} else 0).save(out, form, **options)
    return out.getvalue()


def bomb(side: int) -> bytes:
    """A PNG of a few bytes that says that it has `side` x `side` pixels."""
    small = picture((8, 8), "PNG")
    header = b"IHDR" + struct.pack(">II", side, side) + small[24:29]
    return small[:12] + header + struct.pack(">I", zlib.crc32(header)) + small[33:]


def squared(content: bytes) -> Image.Image:
    made = Image.open(avatars.square_avatar(ContentFile(content, name="x")))
    made.load()
    return made


@pytest.fixture(autouse=True)
def _uploads(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF"])
def test_every_format_becomes_a_square_webp(form: str) -> None:
    made = squared(picture((900, 600), form))
    assert (made.format, made.size, made.mode) == ("WEBP", (512, 512), "RGB")


@pytest.mark.parametrize("mode", ["L", "P", "1", "I;16", "CMYK"])
def test_odd_colour_models_are_read(mode: str) -> None:
    assert squared(picture((60, 40), "JPEG" if mode == "CMYK" else "PNG", mode)).size == (40, 40)


def test_a_small_picture_stays_small() -> None:
    assert squared(picture((30, 50))).size == (30, 30)


def test_what_is_transparent_becomes_white() -> None:
    out = io.BytesIO()
    Image.new("RGBA", (20, 20), (0, 0, 0, 0)).save(out, "PNG")
    assert min(squared(out.getvalue()).getpixel((10, 10))) >= 250  # type: ignore[arg-type]


def test_metadata_is_gone_and_the_picture_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # Orientation: to be turned by 90 degrees
    exif[0x010F] = "SECRETCAMERA"
    source = Image.new("RGB", (100, 100), "blue")
    source.paste("red", (0, 0, 100, 50))
    out = io.BytesIO()
    source.save(out, "JPEG", exif=exif, quality=95)
    content = avatars.square_avatar(ContentFile(out.getvalue(), name="x")).read()
    assert b"SECRETCAMERA" not in content
    assert b"EXIF" not in content
    red, _, blue = Image.open(io.BytesIO(content)).convert("RGB").getpixel((90, 50))  # type: ignore[misc]
    assert red > blue


@pytest.mark.parametrize("side", [6_400, 10_000, 20_000])  # beyond our cap, Pillow's warning, Pillow's refusal
def test_a_bomb_is_refused_by_its_header(side: int) -> None:
    with pytest.raises(ValidationError, match="too many pixels"):
        squared(bomb(side))


def test_a_large_file_is_refused_unread() -> None:
    upload = ContentFile(b"", name="x")
    upload.size = avatars.UPLOAD_BYTES + 1
    with pytest.raises(ValidationError, match="too large"):
        avatars.square_avatar(upload)


@pytest.mark.parametrize(
    "content",
    [b"", b"hello", b"\x89PNG\r\n\x1a\n", b"<svg/>", picture()[:400], picture(form="BMP")],
    ids=["empty", "text", "only a signature", "svg", "cut off", "a format we do not take"],
)
def test_what_is_no_picture_is_refused(content: bytes) -> None:
    with pytest.raises(ValidationError, match="cannot be read"):
        squared(content)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF"])
def test_damaged_pictures_are_refused_or_read_but_never_break(form: str) -> None:
    chance = random.Random(form)
    whole = picture((64, 48), form)
    for _ in range(150):
        broken = bytearray(whole)
        for _ in range(chance.randrange(1, 6)):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        with suppress(ValidationError):
            squared(bytes(broken))


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
