"""What `manage.py COMMAND` does before the command: see to it that the database is there, where none is named, and that
one that is gone is noticed at once."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.conf import settings

from spaces_project.machine import embedded

# Commands that neither read nor write rows, and the one that starts the servers by itself.
NEED_NO_SERVERS = {
    "check", "collectstatic", "compilemessages", "diffsettings", "findstatic", "help", "makemessages",
    "runspaces", "settings_table", "spectacular", "startapp", "version",
}  # fmt: skip
CONNECT_SECONDS = 8


def _needs_servers(argv: Sequence[str]) -> bool:
    command = argv[1] if len(argv) > 1 else "help"
    return not (command.startswith("-") or command in NEED_NO_SERVERS or {"-h", "--help"} & set(argv))


@contextmanager
def servers_for(argv: Sequence[str]) -> Iterator[None]:
    """Have the embedded servers running while a command needs them; those that the environment names are not ours."""
    if argv[1:2] == ["runspaces"]:
        os.environ["SPACES_DEMO"] = "1" if "--demo" in argv else "0"  # before the settings are read
    elif _needs_servers(argv):
        _connect_directly()
        if settings.EMBEDDED_POSTGRES or settings.EMBEDDED_REDIS:
            with embedded.running(settings.VAR_DIR, settings.EMBEDDED_POSTGRES, settings.EMBEDDED_REDIS):
                yield
                return
    yield


def _connect_directly() -> None:
    """A pool is for processes that serve many: it tries again for its whole time, and does not tell why that failed."""
    options = settings.DATABASES["default"]["OPTIONS"]
    options.pop("pool", None)
    options.setdefault("connect_timeout", CONNECT_SECONDS)
