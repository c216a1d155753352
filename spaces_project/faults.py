"""Faults outside the program, such as a wrong variable or a lost server. A command reports each in one line."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import kombu
import redis
from django.core.exceptions import ImproperlyConfigured
from django.db import InterfaceError, OperationalError

from spaces_project.machine.embedded import EmbeddedError

NO_DATABASE = (OperationalError, InterfaceError)
NO_REDIS = (redis.ConnectionError, redis.TimeoutError, kombu.exceptions.OperationalError)
MORE = "`manage.py doctor` says more"


@contextmanager
def in_one_line(argv: Sequence[str]) -> Iterator[None]:
    """End this program with one line and exit code 1 if such a fault is raised in here.

    With --traceback it is raised, as Django's own commands do.
    """
    try:
        yield
    except (EmbeddedError, ImproperlyConfigured) as error:
        _end(str(error))
    except NO_DATABASE as error:
        _end_unless_wanted(argv, error, f"the database cannot be used: {_first_line(error)}; {MORE}")
    except NO_REDIS as error:
        _end_unless_wanted(argv, error, f"Redis cannot be used: {_first_line(error)}; {MORE}")


def _end_unless_wanted(argv: Sequence[str], error: Exception, line: str) -> None:
    if "--traceback" in argv:
        raise error
    _end(line)


def _end(line: str) -> None:
    sys.exit(f"manage.py: {line}")


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
