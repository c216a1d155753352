"""Pictures of people: every upload is decoded and encoded again as a small square, by a process of its own."""

import signal
import subprocess
import sys
from pathlib import Path
from threading import BoundedSemaphore
from typing import Final

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile, File
from django.db import connection
from django.utils.translation import gettext_lazy as _

from accounts.pictures.decode import TOO_COSTLY, TOO_MANY_PIXELS

UPLOAD_BYTES: Final = 8 * 1024 * 1024
AT_ONCE: Final = 2  # decoding processes of one web process
WAIT_SECONDS: Final = 5.0  # for one of these places
DECODE_SECONDS: Final = 15.0  # by the clock; the process itself has a limit of CPU time
DECODER = [sys.executable, "-I", str(Path(__file__).with_name("decode.py"))]
TEXTS = {
    "avatar_bytes": _("The picture is too large. Choose one of at most 8 MB."),
    "avatar_pixels": _("The picture has too many pixels. Choose one of at most 12 megapixels."),
    "avatar_unreadable": _("This file cannot be read as a picture. Choose a JPEG, PNG, WebP or GIF file."),
    "avatar_costly": _("This picture takes too much time or memory to read. Save it as JPEG, and try again."),
    "avatar_busy": _("Many pictures are being read at the moment. Try again in a moment."),
}

_places = BoundedSemaphore(AT_ONCE)


def square_avatar(upload: "File[bytes]") -> "ContentFile[bytes]":
    """Make a square WebP of at most 512 x 512 pixels from the middle of `upload`.

    Raises ValidationError, with a text for the member, if the file is too large, or no picture that we can read.
    """
    if upload.size > UPLOAD_BYTES:
        raise _refused("avatar_bytes")
    _give_connection_back()
    if not _places.acquire(timeout=WAIT_SECONDS):
        raise _refused("avatar_busy")
    try:
        upload.seek(0)
        return ContentFile(_decoded(upload.read()), name="avatar.webp")
    finally:
        _places.release()


def _give_connection_back() -> None:
    """Let others use this request's connection to the database while it waits. The next query takes one again."""
    if not connection.in_atomic_block:
        connection.close()


def _decoded(content: bytes) -> bytes:
    try:
        done = subprocess.run(DECODER, input=content, capture_output=True, timeout=DECODE_SECONDS, env={}, check=False)
    except subprocess.TimeoutExpired:
        raise _refused("avatar_costly") from None
    if done.returncode in (TOO_COSTLY, -signal.SIGXCPU, -signal.SIGKILL):
        raise _refused("avatar_costly")
    if done.returncode == TOO_MANY_PIXELS:
        raise _refused("avatar_pixels")
    if done.returncode != 0 or not done.stdout:
        raise _refused("avatar_unreadable")
    return done.stdout


def _refused(code: str) -> ValidationError:
    return ValidationError(TEXTS[code], code=code)
