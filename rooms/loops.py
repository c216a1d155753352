"""Event loops: short database work beside one, and objects that belong to one."""

import asyncio
import weakref
from collections.abc import Callable, Coroutine
from typing import Any, Generic, ParamSpec, TypeVar

from channels.db import database_sync_to_async

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


def database(function: Callable[P, R]) -> Callable[P, Coroutine[Any, Any, R]]:
    """Run a sync function with the ORM in a thread of its own, so that a slow query holds up nothing else.

    The connection comes from the pool and goes back to it.
    """
    return database_sync_to_async(function, thread_sensitive=False)


class PerLoop(Generic[T]):
    """One object per event loop, made by `make` at first use and forgotten with its loop.

    Connections and tasks belong to the loop that made them, and a process may have several loops, one after another.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, T] = weakref.WeakKeyDictionary()

    def get(self) -> T:
        """The object of the running loop, made now if there is none."""
        loop = asyncio.get_running_loop()
        if loop not in self._made:
            self._made[loop] = self._make()
        return self._made[loop]

    def peek(self) -> T | None:
        """The object of the running loop, None if there is none."""
        return self._made.get(asyncio.get_running_loop())

    def pop(self) -> T | None:
        """Forget the object of the running loop and return it, so that it can be closed."""
        return self._made.pop(asyncio.get_running_loop(), None)

    def items(self) -> list[tuple[asyncio.AbstractEventLoop, T]]:
        """The objects of all loops."""
        return list(self._made.items())
