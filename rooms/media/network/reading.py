"""When the port of a node is read: as soon as a packet arrives, or, with many peers, every few milliseconds.

Waking up costs the event loop more than a packet does, and with hundreds of peers a packet is nearly always there.
"""

import asyncio
import socket
from collections.abc import Callable

MANY = 100  # peers from which polling is cheaper
PAUSE_SECONDS = 0.004  # between two reads then; a packet is at most this late


class Reading:
    """Calls `read`, which returns whether it left packets there. `many` says whether there are many peers."""

    def __init__(self, port: socket.socket, read: Callable[[], bool], many: Callable[[], bool]) -> None:
        self._port, self._read, self._many = port, read, many
        self._handle: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin, in the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._port, self._on_packets)

    def stop(self) -> None:
        """Stop reading."""
        self._loop.remove_reader(self._port)
        if self._handle is not None:
            self._handle.cancel()

    def _on_packets(self) -> None:
        left = self._read()
        if self._many():
            self._loop.remove_reader(self._port)
            self._read_later(left)

    def _read_later(self, left: bool) -> None:
        self._handle = self._loop.call_later(0 if left else PAUSE_SECONDS, self._poll)

    def _poll(self) -> None:
        left = False
        try:
            left = self._read()
        finally:  # a fault at one packet must not stop the reading
            self._go_on(left)

    def _go_on(self, left: bool) -> None:
        if self._many():
            self._read_later(left)
        else:
            self._handle = None
            self._loop.add_reader(self._port, self._on_packets)
