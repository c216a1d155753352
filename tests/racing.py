"""Several threads against PostgreSQL, all starting together."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from django.db import connection

SECONDS = 60


def at_once(*work: Callable[[], object]) -> list[object]:
    """Run each in a thread of its own; what each returned, or the exception that it raised."""
    start = Barrier(len(work))

    def run(verb: Callable[[], object]) -> object:
        start.wait(SECONDS)
        try:
            return verb()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(work)) as pool:
        return [running.result(SECONDS) for running in [pool.submit(run, verb) for verb in work]]
