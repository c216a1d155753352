"""Several threads against PostgreSQL, all starting together."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from django.db import connection

SECONDS = 60


def at_once(*work: Callable[[], object]) -> list[object]:
    """Run each in a thread of its own. Returns the result of each, or the exception that it raised.

    A thread that waits for the caller would hang: the caller gets a TimeoutError.
    """
    start = Barrier(len(work))

    def run(verb: Callable[[], object]) -> object:
        start.wait(SECONDS)
        try:
            return verb()
        except Exception as error:
            return error
        finally:
            connection.close()

    pool = ThreadPoolExecutor(len(work))
    try:
        return [running.result(SECONDS) for running in [pool.submit(run, verb) for verb in work]]
    finally:
        pool.shutdown(wait=False)
