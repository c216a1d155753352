"""Short database work from async code, on threads of its own: one slow query holds up nobody else."""

from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

from channels.db import database_sync_to_async

P = ParamSpec("P")
R = TypeVar("R")


def database(function: Callable[P, R]) -> Callable[P, Coroutine[Any, Any, R]]:
    """Run a sync function with the ORM in a thread, with a connection from the pool that is given back afterwards."""
    return database_sync_to_async(function, thread_sensitive=False)
