"""Options of commands that are numbers: a wrong one is one line, where argparse's own types print the usage as well."""

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandError

MOST_PORT = 65535


def number(options: Mapping[str, Any], name: str, least: int, most: int) -> int:
    """An option as a whole number from `least` to `most`. Raises CommandError."""
    text = str(options[name])
    if not (text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most):
        option = name.replace("_", "-")
        raise CommandError(f"--{option} is a whole number from {least} to {most}, not {text!r}.")
    return int(text)
