"""Options that are numbers. An error is one line, while the types of argparse would print the usage, too."""

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
