"""Secrets: those that are set, and those of a demonstration, made once and kept in a file for its user alone."""

import os
import secrets
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

WORDS = 4


def secret(name: str) -> str:
    """A secret of the settings; empty if none is set, even if Django refuses to read it."""
    try:
        return str(getattr(settings, name))
    except ImproperlyConfigured:
        return ""


def make_file(path: Path) -> None:
    """Write random secrets to `path`, unless it is there already."""
    if path.exists():
        return
    values = {
        "SPACES_DEMO": "1",
        "SECRET_KEY": secrets.token_urlsafe(50),
        "MEDIA_SECRET": secrets.token_urlsafe(32),
        "SPACES_DEMO_PASSWORD": "-".join(secrets.token_hex(2) for _ in range(WORDS)),
    }
    text = "# Secrets of this machine's demonstration; made by `manage.py runspaces --demo`.\n"
    text += "".join(f"{name}={value}\n" for name, value in values.items())
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    new.rename(path)
