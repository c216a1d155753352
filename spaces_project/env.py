"""Environment variables: each is read once, with a type, a default and a sentence for the operator.

`settings.py` calls one function per variable. Every call leaves a row in `TABLE`; `docs/operating.md` is made from
those rows (`manage.py settings_table`), so the table cannot differ from the code.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from django.core.exceptions import ImproperlyConfigured

T = TypeVar("T")


@dataclass(frozen=True)
class Variable:
    """One row of the table of settings."""

    name: str
    kind: str
    default: str
    meaning: str


TABLE: list[Variable] = []


def load_file(path: Path) -> None:
    """Take `NAME=value` lines of `path` as variables, where the environment itself has none of that name."""
    if not path.is_file():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        name, separator, value = line.partition("=")
        if separator and not name.startswith("#"):
            os.environ.setdefault(name.strip(), value.strip())


def _read(name: str, kind: str, default: T, meaning: str, parse: Callable[[str], T], shown: str) -> T:
    TABLE.append(Variable(name, kind, shown, meaning))
    value = os.environ.get(name, "")
    if value == "":
        return default
    try:
        return parse(value)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}={value!r} is not {kind}: {error}") from None


def text(name: str, default: str, meaning: str) -> str:
    return _read(name, "text", default, meaning, str, default)


def integer(name: str, default: int, meaning: str, least: int = 0, most: int | None = None) -> int:
    def parse(value: str) -> int:
        number = int(value)
        if number < least:
            raise ValueError(f"the least is {least}")
        if most is not None and number > most:
            raise ValueError(f"the most is {most}")
        return number

    return _read(name, "a whole number", default, meaning, parse, str(default))


def flag(name: str, default: bool, meaning: str) -> bool:
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}

    def parse(value: str) -> bool:
        if value.lower() not in words:
            raise ValueError("say 1 or 0")
        return words[value.lower()]

    return _read(name, "1 or 0", default, meaning, parse, "1" if default else "0")


def names(name: str, default: list[str], meaning: str) -> list[str]:
    def parse(value: str) -> list[str]:
        return [part.strip() for part in value.split(",") if part.strip()]

    return _read(name, "a list, separated by commas", default, meaning, parse, ",".join(default))


def path(name: str, default: Path, meaning: str, shown: str) -> Path:
    return _read(name, "a path", default, meaning, lambda value: Path(value).expanduser().resolve(), shown)
