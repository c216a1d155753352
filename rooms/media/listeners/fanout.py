"""One packet of sound to many listeners: headers by numpy for all at once, SRTP one by one, one system call.

Every listener has a row: a buffer for the packet, a sequence number, timestamp and SSRC, an SRTP context and an
address. The rows in use are always the first ones, so that a tick works on slices. When a row becomes free, the last
one moves there. The sequence number of a listener goes up by one with each packet, from whichever stream it comes, so
the listener cannot tell.
"""

import secrets
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from pylibsrtp import Session, ffi, lib

from rooms.media.network.rtp import HEADER, VERSION_2
from rooms.media.network.udp import UdpPort
from rooms.media.sound.opus import MAX_PAYLOAD
from rooms.media.units import SAMPLE_RATE

ROW = 1408  # octets: header, largest payload, 16 octets of GCM tag, rounded up
MAX_SEQUENCE_START = 1 << 15  # a stream that starts below is far from a rollover (RFC 3711 section 3.3.1)
Rows = npt.NDArray[np.int64]


class Listener(Protocol):
    """Has a row. The fan-out keeps `row` up to date."""

    row: int


class FanOut:
    """All listeners of a node."""

    def __init__(self, port: UdpPort, capacity: int) -> None:
        self._port, self.capacity = port, capacity
        self.sent = self.dropped = 0
        self.clock = 0  # samples at 48 kHz, at the tick that is written
        self._count = 0
        self._packets = np.zeros((capacity, ROW), np.uint8)
        self._sequences = np.zeros(capacity, np.uint16)
        self._timestamps = np.zeros(capacity, np.uint32)  # offset of each listener's RTP time to the clock
        self._packet_counts = np.zeros(capacity, np.uint32)
        self._octet_counts = np.zeros(capacity, np.uint32)
        self._sizes = np.zeros(capacity, np.int32)  # read and written by libsrtp
        self._due = np.zeros(capacity, np.bool_)
        self._behind = np.zeros(capacity, np.uint32)  # samples from the start of each packet to the clock
        self._columns = (
            self._sequences, self._timestamps, self._packet_counts, self._octet_counts, self._due, self._behind
        )  # fmt: skip
        self._envelopes = port.envelopes(self._packets)
        base, sizes = self._packets.ctypes.data, self._sizes.ctypes.data
        self._pointers = [ffi.cast("void *", base + row * ROW) for row in range(capacity)]
        self._size_pointers = [ffi.cast("int *", sizes + row * 4) for row in range(capacity)]
        self._listeners: list[Listener] = []
        self._sessions: list[Session] = []
        self._contexts: list[Any] = []
        self._sequence_fields = self._packets[:, 2:4].view(">u2")[:, 0]
        self._timestamp_fields = self._packets[:, 4:8].view(">u4")[:, 0]

    def __len__(self) -> int:
        return self._count

    def add(self, listener: Listener, session: Session, address: bytes, payload_type: int, ssrc: int) -> None:
        """Give a listener a row. Raises OverflowError beyond the capacity."""
        if self._count == self.capacity:
            raise OverflowError("no free row")
        row = self._count
        self._packets[row, 0], self._packets[row, 1] = VERSION_2, payload_type
        self._packets[row, 8:12] = np.frombuffer(ssrc.to_bytes(4, "big"), np.uint8)
        self._sequences[row] = secrets.randbelow(MAX_SEQUENCE_START)
        self._timestamps[row] = secrets.randbits(32)
        self._packet_counts[row] = self._octet_counts[row] = 0
        self._due[row] = False
        self._listeners.append(listener)
        self._sessions.append(session)
        self._contexts.append(session._srtp[0])
        self._count += 1
        listener.row = row
        self.move(listener, address)

    def move(self, listener: Listener, address: bytes) -> None:
        """Send to this address from now on."""
        self._envelopes.address(listener.row, address)

    def remove(self, listener: Listener) -> Listener | None:
        """Free the row of a listener. Returns the listener whose row changed by that, if any."""
        row, last = listener.row, self._count - 1
        self._count = last
        moved = self._listeners.pop()
        session, context = self._sessions.pop(), self._contexts.pop()
        listener.row = -1
        if row == last:
            return None
        self._packets[row, :HEADER] = self._packets[last, :HEADER]
        for column in self._columns:
            column[row] = column[last]
        self._envelopes.move(row, last)
        self._listeners[row], self._sessions[row], self._contexts[row] = moved, session, context
        moved.row = row
        return moved

    def listener(self, row: int) -> Listener:
        """The listener who has a row."""
        return self._listeners[row]

    def progress(self, row: int, since: float) -> tuple[int, int, int]:
        """The RTP timestamp of a row `since` seconds after the clock, and its packets and octets so far."""
        timestamp = (int(self._timestamps[row]) + self.clock + round(since * SAMPLE_RATE)) & 0xFFFFFFFF
        return timestamp, int(self._packet_counts[row]), int(self._octet_counts[row])

    def write(self, rows: Rows | int, payload: bytes, behind: int = 0) -> None:
        """Put a payload whose sound began `behind` samples before the clock into these rows. `flush` sends it."""
        if len(payload) > MAX_PAYLOAD:
            raise ValueError("payload too large")
        self._packets[rows, HEADER : HEADER + len(payload)] = np.frombuffer(payload, np.uint8)
        self._sizes[rows] = HEADER + len(payload)
        self._behind[rows] = behind
        self._due[rows] = True

    def flush(self) -> int:
        """Send what was written since the last flush. Returns how many packets the kernel took."""
        count = self._count
        rows = np.flatnonzero(self._due[:count])
        if len(rows) == 0:
            return 0
        self._due[rows] = False
        whole = slice(0, count) if len(rows) == count else rows  # a slice copies nothing
        self._number(whole)
        results = self._protect(whole)
        if any(results):  # libsrtp accepts all that is built here; if it ever did not, the row must not be sent
            rows = whole = rows[np.array(results) == 0]
            self.dropped += sum(map(bool, results))
        self._envelopes.sizes[whole] = self._sizes[whole]
        sent = self._port.send_many(self._envelopes.headers[whole])
        self.sent += sent
        self.dropped += len(rows) - sent
        return sent

    def _number(self, rows: Rows | slice) -> None:
        """Write sequence numbers and timestamps, and count."""
        self._sequences[rows] += 1
        self._packet_counts[rows] += 1
        self._octet_counts[rows] += (self._sizes[rows] - HEADER).astype(np.uint32)
        self._sequence_fields[rows] = self._sequences[rows]
        starts = np.uint32(self.clock & 0xFFFFFFFF) - self._behind[rows]
        self._timestamp_fields[rows] = self._timestamps[rows] + starts

    def _protect(self, rows: Rows | slice) -> list[int]:
        """Encrypt in place. Returns libsrtp's result for each row, 0 for success."""
        columns = (self._contexts, self._pointers, self._size_pointers)
        if isinstance(rows, slice):
            return list(map(lib.srtp_protect, *columns))
        chosen = rows.tolist()
        return list(map(lib.srtp_protect, *([column[row] for row in chosen] for column in columns)))
