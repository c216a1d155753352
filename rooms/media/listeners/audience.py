"""The listeners of one Space, in two groups: a packet every 20 ms, or a packet every 60 ms.

libopus's repacketizer joins three frames into one packet without encoding again (RFC 6716 section 3.2). A third of the
packets is a third of the work, at the price of 40 ms of delay.
"""

from itertools import groupby

import numpy as np

from rooms.media.listeners.fanout import FanOut, Listener, Rows
from rooms.media.sound.opus import DTX_PACKET, Repacketizer
from rooms.media.units import FRAME

LONG = 3  # frames in a packet of the long group
_CONFIGURATION = 0xFC  # bits of the first octet that frames in one packet share (RFC 6716 section 3.1)


def _kind(frame: bytes) -> tuple[int, bool]:
    """What frames need to have in common to travel in one packet. A DTX frame travels alone."""
    return frame[0] & _CONFIGURATION, frame == DTX_PACKET


class Audience:
    """Listeners who get the same packets, as rows for `FanOut.write`."""

    def __init__(self) -> None:
        self._members: set[Listener] = set()
        self._rows: Rows | None = None

    def __len__(self) -> int:
        return len(self._members)

    def __contains__(self, listener: Listener) -> bool:
        return listener in self._members

    def add(self, listener: Listener) -> None:
        """Add a listener who has a row."""
        self._members.add(listener)
        self._rows = None

    def discard(self, listener: Listener) -> None:
        """Remove a listener, if present."""
        self._members.discard(listener)
        self._rows = None

    def rows_changed(self) -> None:
        """Note that the row of a member has changed."""
        self._rows = None

    @property
    def rows(self) -> Rows:
        """The rows of all members, in order."""
        if self._rows is None:
            self._rows = np.array(sorted(member.row for member in self._members), np.int64)
        return self._rows


class Audiences:
    """All listeners of one Space: `short` gets each frame at once, `long` gets three at a time."""

    def __init__(self, fanout: FanOut) -> None:
        self.short, self.long = Audience(), Audience()
        self._fanout = fanout
        self._joiner = Repacketizer()
        self._frames: list[bytes] = []  # not yet sent to the long group
        self._leaving: list[Listener] = []

    def __len__(self) -> int:
        return len(self.short) + len(self.long)

    def discard(self, listener: Listener) -> None:
        """Remove a listener, if present."""
        self.short.discard(listener)
        self.long.discard(listener)
        if listener in self._leaving:
            self._leaving.remove(listener)

    def rows_changed(self) -> None:
        """Note that the row of a member has changed."""
        self.short.rows_changed()
        self.long.rows_changed()

    def shorten(self, listener: Listener) -> None:
        """Move a listener to `short` with the next tick, which also sends the frames still missing."""
        if listener in self.long and listener not in self._leaving:
            self._leaving.append(listener)

    def write(self, packet: bytes | None) -> None:
        """Send the packet of this tick to all, None if there is nothing to send."""
        if len(self.long):
            self._write_long(packet)
        if len(self.short) and packet is not None:
            self._fanout.write(self.short.rows, packet)
        for listener in self._leaving:
            self.long.discard(listener)
            self.short.add(listener)
        self._leaving.clear()
        if not len(self.long):
            self._frames.clear()

    def _write_long(self, packet: bytes | None) -> None:
        if packet is None:
            self._frames.clear()
            return
        self._frames.append(packet)
        if len(self._frames) == LONG or packet == DTX_PACKET:
            self._send_frames(self.long.rows)
            self._frames.clear()
        elif self._leaving:
            self._send_frames(np.array([listener.row for listener in self._leaving], np.int64))

    def _send_frames(self, rows: Rows) -> None:
        """Write the frames as one packet, or as several if the encoder changed its mode between them."""
        behind = len(self._frames) * FRAME
        for place, (_, run) in enumerate(groupby(self._frames, _kind)):
            if place:
                self._fanout.flush()
            frames = list(run)
            self._fanout.write(rows, self._joiner.join(frames), behind - FRAME)
            behind -= len(frames) * FRAME
