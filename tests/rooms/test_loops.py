"""`PerLoop`: one object per event loop, for as long as the loop is there."""

import asyncio
import gc

from rooms.loops import PerLoop


class Thing:
    """Something that differs from all others of its kind."""


def test_a_loop_has_one_object_and_another_loop_another() -> None:
    things = PerLoop(Thing)

    async def twice() -> tuple[Thing, Thing]:
        return things.get(), things.get()

    (first, again), (other, _) = asyncio.run(twice()), asyncio.run(twice())
    assert first is again
    assert other is not first


async def test_peek_makes_nothing() -> None:
    things = PerLoop(Thing)
    assert things.peek() is None
    assert things.get() is things.peek()


async def test_pop_forgets_the_object_of_this_loop() -> None:
    things = PerLoop(Thing)
    assert things.pop() is None
    first = things.get()
    assert things.items() == [(asyncio.get_running_loop(), first)]
    assert things.pop() is first
    assert things.get() is not first


def test_a_loop_that_is_gone_leaves_nothing_behind() -> None:
    """Its address in memory may be that of the next loop, which must not find what belonged to the one before."""
    things = PerLoop(Thing)

    async def use() -> None:
        things.get()

    asyncio.run(use())
    gc.collect()
    assert things.items() == []
