"""The thread from which a process speaks to the channel layer.

It has an event loop of its own. `async_to_sync` would borrow the one that serves the pages: a web process that is told
to stop ends that loop first, and a verb that was about to tell of its commit would wait for it for ever, and so would
the process.
"""

import asyncio
import os
from threading import Thread
from typing import Any

from channels.layers import get_channel_layer

SEND_SECONDS = 5


def send(to: str, message: dict[str, Any]) -> None:
    """Send `message` to group `to` of the channel layer, from any thread. Raises TimeoutError, or what Redis raises."""
    sending = get_channel_layer().group_send(to, message)
    sent = asyncio.run_coroutine_threadsafe(sending, _loop())
    try:
        sent.result(SEND_SECONDS)
    finally:
        sent.cancel()


_loops: dict[int, asyncio.AbstractEventLoop] = {}  # by process id: a fork has the other's memory, but not its thread


def _loop() -> asyncio.AbstractEventLoop:
    """The loop of this process. Without a lock, which a fork could inherit locked: `setdefault` is one step."""
    process = os.getpid()
    if process in _loops:
        return _loops[process]
    mine = asyncio.new_event_loop()
    loop = _loops.setdefault(process, mine)
    if loop is mine:
        Thread(target=loop.run_forever, name="postman", daemon=True).start()
    else:  # somebody else was the first in the same moment
        mine.close()
    return loop
