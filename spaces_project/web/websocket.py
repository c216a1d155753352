"""daphne's websocket, with its frames counted when they arrive.

daphne reads whatever comes and keeps it in a queue without end. A page that sends faster than its consumer works would
fill that queue, and the frames would stop all other pages of the process long after the sender has gone. Here a full
queue stops the reading, so TCP slows the sender down (RFC 9293, section 3.8). A sender above the rate is closed, and
what it has sent is dropped.
"""

import time
from asyncio import Queue
from typing import Any

from daphne.ws_protocol import WebSocketProtocol

from rooms.media.rate_limit import RateLimit
from rooms.protocol import Close

MOST_QUEUED = 8  # frames that the consumer has not taken yet: above it, nothing more is read
FRAMES_PER_SECOND = 20  # of any kind, of one page, sustained
BURST = 120  # at once; the consumer of a Space warns from 60 on, and closes after 40 warnings


class LimitedWebSocket(WebSocketProtocol):
    """One websocket. `taken` has to be called for every message that the consumer takes from its queue."""

    application_queue: Queue[dict[str, Any]]

    def __init__(self) -> None:
        super().__init__()
        self._rate = RateLimit(FRAMES_PER_SECOND, BURST)
        self._is_paused = self._is_flooded = False

    def onFrameBegin(self) -> None:  # noqa: N802 - autobahn's name
        """Count a frame of any kind: a ping or a fragment costs as much as a message."""
        if not self._is_flooded and not self._rate.allows(time.monotonic()):
            self._end()
        super().onFrameBegin()

    def onMessage(self, payload: bytes, isBinary: bool) -> None:  # noqa: N802, N803 - autobahn's names
        """Queue a message, and read no more if the consumer is behind."""
        if not self._is_flooded:
            super().onMessage(payload, isBinary)
            if self.application_queue.qsize() > MOST_QUEUED:
                self._pause()

    def taken(self) -> None:
        """Read on when the consumer has caught up."""
        if self._is_paused and not self._is_flooded and self.application_queue.empty():
            self._is_paused = False
            self.transport.resumeProducing()

    def _pause(self) -> None:
        if not self._is_paused:
            self._is_paused = True
            self.transport.pauseProducing()

    def _end(self) -> None:
        """Close, and forget everything that has arrived and is not worked off."""
        self._is_flooded = True
        while not self.application_queue.empty():
            self.application_queue.get_nowait()
        self._pause()
        self.sendClose(code=int(Close.TOO_MANY_FRAMES))
        self.data = b""  # autobahn's buffer: nothing of it is parsed
