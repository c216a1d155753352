"""Deeds of several people at the same moment, each on a connection of its own."""

import threading
from collections.abc import Callable

from django.db import connection

from accounts.models import User
from moderation.refusals import Refused
from moderation.rules import Reason


def at_once(deed: Callable[[User], object], *people: User) -> list[Reason | None]:
    """Do it for each person in a thread of its own, all starting together; the reasons of those refused."""
    start = threading.Barrier(len(people))
    outcomes: list[Reason | None] = []

    def run(by: User) -> None:
        start.wait(timeout=10)
        try:
            deed(by)
            outcomes.append(None)
        except Refused as refusal:
            outcomes.append(refusal.reason)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[by]) for by in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    return outcomes
