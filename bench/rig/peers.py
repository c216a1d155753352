"""The peers of the rig: real handshakes, then as little work as their part allows."""

import re
import socket
import struct
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Any, NamedTuple

from bench.rig.relay import Relay
from rooms.media.client.peer import PAYLOAD_TYPE, Client
from rooms.media.client.received import Heard
from rooms.media.network import rtp, stun, udp
from rooms.media.numbers import Unwrapper
from rooms.media.sound.jitter import DTX_OCTETS
from rooms.media.sound.opus import Decoder
from rooms.media.units import FRAME, SAMPLE_RATE

PATIENCE = 5 * FRAME  # samples for which a packet of 60 ms may be on its way
DTX_GAP = 19 * FRAME  # samples without a packet, after which libopus, and a node, tell of silence again
_CANDIDATE = re.compile(r"^(a=candidate:\S+ 1 udp \d+ )(\S+) (\d+) typ host", re.MULTILINE)
_SO_TIMESTAMPNS = 35  # socket(7); not in Python's socket module
_TIMESPEC = struct.Struct("=qq")
_DATAGRAM = 2048
_SINK_QUEUE = 4096  # octets; full after a few packets, then the kernel drops what nobody would read


class Received(NamedTuple):
    """A packet of sound: unwrapped sequence number, payload, when the kernel got it (monotonic seconds), RTP time."""

    sequence: int
    payload: bytes
    at: float
    timestamp: int = 0


class Peer(Client):
    """A peer for any server: one that makes checks of its own gets them answered (RFC 8445 section 7.3).

    With ``checked_first`` the handshake begins only after that, since such a server drops what comes earlier, and
    OpenSSL repeats it a second later. With a ``relay``, everything goes through it.
    """

    def __init__(self, *, checked_first: bool = False, relay: Relay | None = None, **options: Any) -> None:
        super().__init__(**options)
        self._is_checked = not checked_first
        self._relay = relay

    @property
    def public_port(self) -> int:
        """The port from which the server sees this peer."""
        return self._relay.outer[1] if self._relay else self.port.port

    def accept(self, answer: str) -> None:
        """Take the server's answer; through a relay, send to that instead."""
        super().accept(_CANDIDATE.sub(self._through, answer) if self._relay else answer)

    def _through(self, candidate: re.Match[str]) -> str:
        assert self._relay is not None
        host, port = self._relay.connect((candidate[2], int(candidate[3])))
        return f"{candidate[1]}{host} {port} typ host"

    def vanish(self) -> None:
        """Be gone without a goodbye, and the relay too."""
        super().vanish()
        if self._relay is not None:
            self._relay.close()

    def _on_check_answered(self, data: bytes) -> None:
        if data[:2] == stun.REQUEST.to_bytes(2, "big"):
            self._answer(data)
        elif self._is_checked:
            super()._on_check_answered(data)

    def _answer(self, check: bytes) -> None:
        password = self._password.encode()
        if self._address is not None and stun.is_signed(check, password):
            transaction = check[8 : stun.HEADER]
            mapped = stun.xor_address(*udp.unpack(self._address), transaction)
            self.send_raw(stun.build(stun.SUCCESS, transaction, mapped, password))
            self._is_checked = True

    def send_packet(self, payload: bytes, payload_type: int = PAYLOAD_TYPE) -> None:
        """Send a packet of sound; none where the encoder says that nothing needs to be (RFC 7587 section 3.1.3)."""
        if len(payload) > DTX_OCTETS:
            super().send_packet(payload, payload_type)

    def become_sink(self) -> None:
        """Read no more; only ``check`` goes on."""
        self.stop_reading()
        self.port.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SINK_QUEUE)

    def check(self) -> None:
        """Send one consent check (RFC 7675)."""
        self._check()


class Listener(Peer):
    """Reads and decrypts everything; each packet of sound goes to ``take`` with the time at which the kernel got it."""

    def __init__(self, take: Callable[[Received], object], **options: Any) -> None:
        super().__init__(**options)
        self._take = take
        self.port.socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)

    def read(self) -> None:
        """Take what has arrived."""
        while self.port.socket.fileno() >= 0:
            try:
                data, control, _flags, _address = self.port.socket.recvmsg(_DATAGRAM, 64)
            except BlockingIOError:
                return
            self._on_datagram(data, arrived(control))

    def _on_packet(self, packet: rtp.RtpPacket, sequence: int, now: float) -> None:
        self._take(Received(sequence, packet.payload, now, packet.timestamp))


def arrived(control: list[tuple[int, int, bytes]]) -> float:
    """Return when a packet arrived, in seconds of the monotonic clock, from its control messages; now, without any."""
    now = time.monotonic()
    for level, kind, data in control:
        if (level, kind) == (socket.SOL_SOCKET, _SO_TIMESTAMPNS):
            seconds, nanoseconds = _TIMESPEC.unpack(data)
            return now - max(0.0, time.time() - seconds - nanoseconds / 1e9)
    return now


class Checker(Listener):
    """A listener that decodes everything and keeps no sound.

    ``frames`` counts packets by their length in ms; ``audible`` those in which there is anything to hear; ``payloads``
    are the latest ones. ``span`` and ``heard_samples`` tell of the time that has passed by the RTP clock, and for how
    much of it there was a packet, or silence after a packet that tells of it (DTX): a server that leaves packets out
    loses none by their sequence numbers. ``unheard`` tells of the time before the first and after the latest one.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(self._check_sound, **options)
        self.payloads: deque[bytes] = deque(maxlen=500)
        self._ears = Decoder()
        self.reset()

    def reset(self) -> None:
        """Forget what was heard so far."""
        self.heard, self.since = Heard(), time.monotonic()
        self.frames: Counter[int] = Counter()
        self.audible = self.undecodable = self.heard_samples = 0
        self._timestamps = Unwrapper(32)
        self._first: int | None = None
        self._end = 0
        self._silence_told = False

    @property
    def span(self) -> int:
        """Samples from the beginning of the first packet to the end of the latest one."""
        return self._end - self._first if self._first is not None else 0

    def unheard(self, now: float) -> int:
        """Samples since ``reset`` without any packet, at the beginning and up to ``now``, beyond what is usual."""
        first, last = self.heard.first_at, self.heard.last_at
        if first is None or last is None:
            return round((now - self.since) * SAMPLE_RATE)
        usual = DTX_GAP + PATIENCE if self._silence_told else PATIENCE
        gaps = round((first - self.since) * SAMPLE_RATE) - usual, round((now - last) * SAMPLE_RATE) - usual
        return sum(max(0, gap) for gap in gaps)

    def _check_sound(self, received: Received) -> None:
        try:
            sound = self._ears.decode(received.payload)
        except ValueError:
            self.undecodable += 1
            return
        self.payloads.append(received.payload)
        self.frames[len(sound) * 20 // FRAME] += 1
        self.audible += bool(abs(sound).max() > 100)
        self._note_time(self._timestamps.unwrap(received.timestamp), len(sound))
        self._silence_told = len(received.payload) <= DTX_OCTETS

    def _note_time(self, timestamp: int, samples: int) -> None:
        if self._first is None:
            self._first = timestamp
        elif self._silence_told:
            self.heard_samples += min(DTX_GAP, max(0, timestamp - self._end))
        self._end = max(self._end, timestamp + samples)
        self.heard_samples += samples
