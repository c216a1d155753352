"""What a verb sends leaves the process, whatever becomes of the loop that the verb came from."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event, Thread
from typing import Any

import pytest
from channels.layers import get_channel_layer

from rooms.loops import database
from rooms.store import layer
from spaces_project.machine.processes import with_patience

PATIENCE = 20.0


async def test_a_message_reaches_its_group() -> None:
    channels = get_channel_layer()
    channel = await channels.new_channel()
    await channels.group_add("tea", channel)
    await asyncio.to_thread(layer.send, "tea", {"type": "space.event", "frame": "{}"})
    assert (await asyncio.wait_for(channels.receive(channel), PATIENCE))["frame"] == "{}"
    await channels.group_discard("tea", channel)


def test_a_verb_does_not_wait_for_a_loop_that_has_ended() -> None:
    """A web process stops while a verb commits."""
    running, stopped, sent = Event(), Event(), Event()

    def verb() -> None:
        running.set()
        assert stopped.wait(PATIENCE)
        layer.send("tea", {"type": "space.event", "frame": "{}"})
        sent.set()

    loop = asyncio.new_event_loop()
    web = Thread(target=loop.run_forever)
    web.start()
    done = asyncio.run_coroutine_threadsafe(database(verb)(), loop)
    assert running.wait(PATIENCE)
    loop.call_soon_threadsafe(loop.stop)
    web.join(PATIENCE)
    stopped.set()
    assert sent.wait(PATIENCE)
    loop.run_until_complete(asyncio.wrap_future(done, loop=loop))
    loop.close()


def test_two_first_callers_at_once_start_one_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    both, new = Barrier(2, timeout=PATIENCE), asyncio.new_event_loop

    def at_once() -> asyncio.AbstractEventLoop:
        both.wait()
        return new()

    monkeypatch.setattr(layer, "_loops", {})
    monkeypatch.setattr(asyncio, "new_event_loop", at_once)
    with ThreadPoolExecutor(2) as callers:
        first, second = [callers.submit(layer._loop) for _ in range(2)]
        loop = first.result()
        assert second.result() is loop
    assert with_patience(loop.is_running, PATIENCE)
    loop.call_soon_threadsafe(loop.stop)
    assert with_patience(lambda: not loop.is_running(), PATIENCE)
    loop.close()


class NeverAnswers:
    async def group_send(self, to: str, message: dict[str, Any]) -> None:
        await asyncio.Event().wait()


def test_what_cannot_be_sent_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layer, "SEND_SECONDS", 0.05)
    monkeypatch.setattr(layer, "get_channel_layer", NeverAnswers)
    with pytest.raises(TimeoutError):
        layer.send("tea", {})
