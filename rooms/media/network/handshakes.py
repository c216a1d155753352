"""DTLS records between their arrival and their peer: a bounded queue, worked off one record at a time."""

import asyncio
from collections import Counter, deque

from rooms.media.network.peer import Peer

MAX_WAITING = 2000  # records of all peers together


class Handshakes:
    """The records that wait. Counts in `drops` what does not fit."""

    def __init__(self, drops: Counter[str]) -> None:
        self._drops = drops
        self._waiting: deque[tuple[Peer, bytes]] = deque()

    def put(self, peer: Peer, record: bytes) -> None:
        """Queue a record, the bytes of one datagram. It reaches its peer soon, in the running event loop."""
        if len(self._waiting) >= MAX_WAITING:
            self._drops["handshake-queue"] += 1
            return
        self._waiting.append((peer, record))
        if len(self._waiting) == 1:
            asyncio.get_running_loop().call_soon(self._work)

    def _work(self) -> None:
        """Hand over one record per round of the event loop, so that a tick waits for one at most."""
        peer, record = self._waiting[0]
        try:
            if not peer.session.feed(record):
                peer.drops["dtls-queue"] += 1
        finally:
            self._waiting.popleft()
            if self._waiting:
                asyncio.get_running_loop().call_soon(self._work)
