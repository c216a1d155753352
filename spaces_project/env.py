"""Environment variables: each is read once, with a type, a default and a sentence for the operator.

`settings/` calls one function per variable. Every call leaves a row in `TABLE`; docs/operating/settings.md is made
from those rows (`manage.py settings_table`), so the table cannot differ from the code.

Secrets may lie in files: `NAME_FILE` names one whose content is the value. Docker and systemd pass secrets in this way.
"""

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

T = TypeVar("T")


@dataclass(frozen=True)
class Variable:
    """One row of the table of settings."""

    name: str
    kind: str
    default: str
    meaning: str
    from_file: bool = False


TABLE: list[Variable] = []


def load_file(path: Path) -> None:
    """Take `NAME=value` lines of `path` as variables, unless the environment has them."""
    add(read_file(path))


def read_file(path: Path) -> dict[str, str]:
    """The `NAME=value` lines of `path`; none if there is no such file."""
    if not path.is_file():
        return {}
    parts = [line.partition("=") for line in path.read_text(encoding="utf-8").splitlines()]
    return {name.strip(): value.strip() for name, found, value in parts if found and not name.startswith("#")}


def add(variables: Mapping[str, str]) -> None:
    """Take variables that the environment does not have, neither itself nor as `NAME_FILE`."""
    for name, value in variables.items():
        if not os.environ.get(_file_of(name)):
            os.environ.setdefault(name, value)


@contextmanager
def plainly(program: str) -> Iterator[None]:
    """End this program with one line instead of a traceback if a variable is wrong in here."""
    try:
        yield
    except ImproperlyConfigured as error:
        sys.exit(f"{program}: {error}")


class _Unfit(ValueError):
    """A value of the right kind that cannot be used. The text says why."""


def _file_of(name: str) -> str:
    return f"{name}_FILE"


def _value(name: str, from_file: bool) -> str:
    """The text of a variable, or of the file that `NAME_FILE` names; empty if neither is set."""
    value, path = os.environ.get(name, ""), os.environ.get(_file_of(name), "") if from_file else ""
    if value and path:
        raise ImproperlyConfigured(f"{name} and {_file_of(name)} are both set; keep one of them")
    return _content(_file_of(name), path) if path else value


def _content(name: str, path: str) -> str:
    """What the file says, without the newline at its end."""
    try:
        content = Path(path).read_text(encoding="utf-8").removesuffix("\n")
    except OSError as error:
        raise ImproperlyConfigured(f"{name}={path!r} cannot be read: {error.strerror}") from None
    except ValueError:
        raise ImproperlyConfigured(f"{name}={path!r} is not text") from None
    if not content:
        raise ImproperlyConfigured(f"{name}={path!r} is empty")
    return content


def _read(
    name: str,
    kind: str,
    default: T,
    meaning: str,
    parse: Callable[[str], T],
    shown: str,
    from_file: bool = False,
) -> T:
    TABLE.append(Variable(name, kind, shown, meaning, from_file))
    value = _value(name, from_file)
    if value == "":
        return default
    try:
        return parse(value)
    except _Unfit as error:
        raise ImproperlyConfigured(f"{name}={value!r}: {error}") from None
    except ValueError:
        raise ImproperlyConfigured(f"{name}={value!r} is not {kind}") from None


def text(name: str, default: str, meaning: str, from_file: bool = False) -> str:
    return _read(name, "text", default, meaning, str, default, from_file)


def secret(name: str, meaning: str) -> str:
    """A secret that another program has in its configuration, too: letters and digits, which need no quoting there.

    It has to be long enough that it cannot be guessed from signatures. Error messages do not show it.
    """

    def parse(value: str) -> str:
        if not _SECRET.fullmatch(value):
            raise ImproperlyConfigured(f"{name} has to be {kind}, such as the output of `openssl rand -hex 32`")
        return value

    kind = f"at least {LEAST_SECRET} letters and digits"
    return _read(name, kind, "", meaning, parse, "", from_file=True)


LEAST_SECRET = 32  # characters
_SECRET = re.compile(rf"[A-Za-z0-9]{{{LEAST_SECRET},}}")


def ip(name: str, default: str, meaning: str) -> str:
    return _read(name, "an IP address", default, meaning, lambda value: str(ip_address(value)), default)


def integer(name: str, default: int, meaning: str, least: int = 0, most: int | None = None) -> int:
    return _number(name, "a whole number", default, meaning, least, most)


def port(name: str, default: int, meaning: str) -> int:
    return _number(name, "a port number", default, meaning, 1, 65535)


def _number(name: str, kind: str, default: int, meaning: str, least: int, most: int | None) -> int:
    def parse(value: str) -> int:
        number = int(value)
        if number < least:
            raise _Unfit(f"it has to be at least {least}")
        if most is not None and number > most:
            raise _Unfit(f"it has to be at most {most}")
        return number

    return _read(name, kind, default, meaning, parse, str(default))


def flag(name: str, default: bool, meaning: str) -> bool:
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}

    def parse(value: str) -> bool:
        if value.lower() not in words:
            raise ValueError
        return words[value.lower()]

    return _read(name, "1 or 0", default, meaning, parse, "1" if default else "0")


def choice(name: str, default: str, meaning: str, values: tuple[str, ...]) -> str:
    """One of `values`, in any case of letters."""

    def parse(value: str) -> str:
        if value.lower() not in values:
            raise ValueError
        return value.lower()

    return _read(name, f"one of {', '.join(values)}", default, meaning, parse, default)


def url(
    name: str,
    schemes: Sequence[str],
    meaning: str,
    check: Callable[[str], object] = urlsplit,
    from_file: bool = False,
) -> str:
    """An address with one of the schemes that passes `check`, or nothing.

    Error messages do not show it: it may hold a password.
    """
    beginnings = [f"{scheme}://" for scheme in schemes]

    def parse(value: str) -> str:
        if not value.startswith(tuple(beginnings)):
            raise ImproperlyConfigured(f"{name} has to begin with {' or '.join(beginnings)}")
        try:
            parts = urlsplit(value)
            complete = bool(parts.netloc or parts.path) and (parts.port is None or parts.port > 0)
            check(value)
        except ValueError:
            complete = False
        if not complete:
            raise ImproperlyConfigured(
                f"{name} is not a complete address (in a password, special characters are written as %23)"
            )
        return value

    return _read(name, "an address", "", meaning, parse, "", from_file)


def base(name: str, own: str, meaning: str) -> str:
    """Where browsers fetch the files of `own`, a path of this site: there, or below an address of another site.

    It ends with a slash, and may be used in a content security policy.
    """

    def parse(value: str) -> str:
        if value != own and value.startswith("/"):
            raise _Unfit(f"of this site it can only be {own}; otherwise it is an address, like {example}")
        if not value.endswith("/"):
            raise _Unfit("it has to end with a slash")
        if value != own and not (_BASE.fullmatch(value) and urlsplit(value).port != 0):
            raise _Unfit(f"it is neither {own} nor an address like {example}")
        return value

    example = f"https://cdn.example.org{own}"
    return _read(name, "an address", own, meaning, parse, own)


_BASE = re.compile(r"https?://([\w-]+(\.[\w-]+)*|\[[0-9A-Fa-f:.]+\])(:[0-9]+)?(/[\w.~%-]+)*/", re.ASCII)


def names(
    name: str,
    default: list[str],
    meaning: str,
    check: Callable[[str], object] = str,
    check_all: Callable[[list[str]], object] = len,
) -> list[str]:
    """A list. `check` checks each part and `check_all` the list; they raise ValueError with a text that says why."""

    def parse(value: str) -> list[str]:
        parts = [part.strip() for part in value.split(",") if part.strip()]
        try:
            for part in parts:
                check(part)
            check_all(parts)
        except ValueError as error:
            raise _Unfit(str(error)) from None
        return parts

    return _read(name, "a list, separated by commas", default, meaning, parse, ",".join(default))


def path(name: str, default: Path, meaning: str, shown: str) -> Path:
    def parse(value: str) -> Path:
        try:
            return Path(value).expanduser().resolve()
        except RuntimeError as error:  # ~name of a user that does not exist
            raise _Unfit(str(error)) from None

    return _read(name, "a path", default, meaning, parse, shown)
