"""What `manage.py COMMAND` does before the command: start the embedded servers, and notice a lost database at once."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.conf import settings

from spaces_project.machine import embedded

# Commands that neither read nor write rows, and `runspaces`, which starts the servers itself.
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
    """Keep the embedded servers running while a command needs them, unless the environment names others."""
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
    """Connect without the pool, which retries until its timeout and does not say why it failed."""
    options = settings.DATABASES["default"]["OPTIONS"]
    options.pop("pool", None)
    options.setdefault("connect_timeout", CONNECT_SECONDS)
