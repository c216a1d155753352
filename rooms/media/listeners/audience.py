"""The listeners of one Space, in two groups: a packet for every 20 ms, or one for every 60 ms.

Three frames in one packet are the three packets joined by libopus's repacketizer, without encoding again (RFC 6716
section 3.2). A third of the packets is a third of the work, for 40 ms of delay.
"""

from itertools import groupby

import numpy as np

from rooms.media.listeners.fanout import FanOut, Listener, Rows
from rooms.media.sound.opus import DTX_PACKET, Repacketizer
from rooms.media.units import FRAME

LONG = 3  # frames in a packet of the long group
_CONFIGURATION = 0xFC  # of a packet's first octet: what frames in one packet have in common (RFC 6716 section 3.1)


def _kind(frame: bytes) -> tuple[int, bool]:
    """What has to be the same of frames in one packet; a frame that tells of silence travels alone."""
    return frame[0] & _CONFIGURATION, frame == DTX_PACKET


class Audience:
    """Listeners who all get the same packets, as rows for ``FanOut.write``."""

    def __init__(self) -> None:
        self._members: set[Listener] = set()
        self._rows: Rows | None = None

    def __len__(self) -> int:
        return len(self._members)

    def __contains__(self, listener: Listener) -> bool:
        return listener in self._members

    def add(self, listener: Listener) -> None:
        """Count somebody who has a row in."""
        self._members.add(listener)
        self._rows = None

    def discard(self, listener: Listener) -> None:
        """Count somebody out."""
        self._members.discard(listener)
        self._rows = None

    def rows_changed(self) -> None:
        """A member's row is another one now."""
        self._rows = None

    @property
    def rows(self) -> Rows:
        """The rows of all members, in order."""
        if self._rows is None:
            self._rows = np.array(sorted(member.row for member in self._members), np.int64)
        return self._rows


class Audiences:
    """Everybody who hears one Space: ``short`` gets each frame at once, ``long`` three at a time."""

    def __init__(self, fanout: FanOut) -> None:
        self.short, self.long = Audience(), Audience()
        self._fanout = fanout
        self._joiner = Repacketizer()
        self._frames: list[bytes] = []  # that the long group has not got yet
        self._leaving: list[Listener] = []

    def __len__(self) -> int:
        return len(self.short) + len(self.long)

    def discard(self, listener: Listener) -> None:
        """Count somebody out."""
        self.short.discard(listener)
        self.long.discard(listener)
        if listener in self._leaving:
            self._leaving.remove(listener)

    def rows_changed(self) -> None:
        """A member's row is another one now."""
        self.short.rows_changed()
        self.long.rows_changed()

    def shorten(self, listener: Listener) -> None:
        """Give somebody each frame at once from the next tick on, and in that what he has not got yet."""
        if listener in self.long and listener not in self._leaving:
            self._leaving.append(listener)

    def write(self, packet: bytes | None) -> None:
        """Hand out the packet of this tick; None where nobody gets one, since there is nothing to hear."""
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
        """Write the frames as one packet, or as several where the encoder changed its mode between them."""
        behind = len(self._frames) * FRAME
        for place, (_, run) in enumerate(groupby(self._frames, _kind)):
            if place:
                self._fanout.flush()
            frames = list(run)
            self._fanout.write(rows, self._joiner.join(frames), behind - FRAME)
            behind -= len(frames) * FRAME
