"""The thread from which a process sends to the channel layer.

It has an event loop of its own. `async_to_sync` would use the loop that serves the pages. A web process that shuts down
ends that loop first. A verb that sends after its commit would then wait for ever, and so would the process.
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


_loops: dict[int, asyncio.AbstractEventLoop] = {}  # by process id: a fork has the memory of its parent, not its threads


def _loop() -> asyncio.AbstractEventLoop:
    """The loop of this process. There is no lock, since a fork could inherit it locked: `setdefault` is one step."""
    process = os.getpid()
    if process in _loops:
        return _loops[process]
    mine = asyncio.new_event_loop()
    loop = _loops.setdefault(process, mine)
    if loop is mine:
        Thread(target=loop.run_forever, name="channel-layer", daemon=True).start()
    else:  # another thread was first in this moment
        mine.close()
    return loop
