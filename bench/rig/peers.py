"""The peers of the rig: real handshakes, then as little work as their role allows."""

import re
import socket
import struct
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Any, NamedTuple

from bench.rig.relay import Relay
from rooms.media.client.peer import PAYLOAD_TYPE, Client
from rooms.media.client.received import ReceivedSound
from rooms.media.network import rtp, stun, udp
from rooms.media.numbers import Unwrapper
from rooms.media.sound.jitter import DTX_OCTETS
from rooms.media.sound.opus import Decoder
from rooms.media.units import FRAME, SAMPLE_RATE

PATIENCE = 5 * FRAME  # samples for which a packet of 60 ms may be on its way
DTX_GAP = 19 * FRAME  # samples after which libopus, and a node, repeat a DTX packet
_CANDIDATE = re.compile(r"^(a=candidate:\S+ 1 udp \d+ )(\S+) (\d+) typ host", re.MULTILINE)
_SO_TIMESTAMPNS = 35  # socket(7); not in Python's socket module
_TIMESPEC = struct.Struct("=qq")
_DATAGRAM = 2048
_SINK_QUEUE = 4096  # octets; full after a few packets, then the kernel drops the rest


class TimedPacket(NamedTuple):
    """A packet of sound. `sequence` is unwrapped, `at` is when the kernel got it in monotonic seconds."""

    sequence: int
    payload: bytes
    at: float
    timestamp: int = 0


class Peer(Client):
    """A peer for any server. It answers the checks of servers that send some (RFC 8445 section 7.3).

    With `checked_first` the handshake begins only after such a check: the server drops earlier records, and OpenSSL
    repeats them a second later. With a `relay`, all packets go through it.
    """

    def __init__(self, *, checked_first: bool = False, relay: Relay | None = None, **options: Any) -> None:
        super().__init__(**options)
        self._is_checked = not checked_first
        self._relay = relay

    @property
    def public_port(self) -> int:
        """The port of this peer as the server sees it."""
        return self._relay.outer[1] if self._relay else self.port.port

    def accept(self, answer: str) -> None:
        """Take the server's answer. With a relay, send to the relay instead."""
        super().accept(_CANDIDATE.sub(self._through, answer) if self._relay else answer)

    def _through(self, candidate: re.Match[str]) -> str:
        assert self._relay is not None
        host, port = self._relay.connect((candidate[2], int(candidate[3])))
        return f"{candidate[1]}{host} {port} typ host"

    def vanish(self) -> None:
        """Disappear without a goodbye, with the relay."""
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
        """Send a packet of sound, unless it is a DTX packet (RFC 7587 section 3.1.3)."""
        if len(payload) > DTX_OCTETS:
            super().send_packet(payload, payload_type)

    def become_sink(self) -> None:
        """Stop reading. Only `check` goes on."""
        self.stop_reading()
        self.port.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SINK_QUEUE)

    def check(self) -> None:
        """Send one consent check (RFC 7675)."""
        self._check()


class Listener(Peer):
    """Reads and decrypts all packets. `take` gets each packet of sound with the time at which the kernel got it."""

    def __init__(self, take: Callable[[TimedPacket], object], **options: Any) -> None:
        super().__init__(**options)
        self._take = take
        self.port.socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)

    def read(self) -> None:
        """Take all packets that have arrived."""
        while self.port.socket.fileno() >= 0:
            try:
                data, control, _flags, _address = self.port.socket.recvmsg(_DATAGRAM, 64)
            except BlockingIOError:
                return
            self._on_datagram(data, arrival_time(control))

    def _on_packet(self, packet: rtp.RtpPacket, sequence: int, now: float) -> None:
        self._take(TimedPacket(sequence, packet.payload, now, packet.timestamp))


def arrival_time(control: list[tuple[int, int, bytes]]) -> float:
    """When a packet arrived by its control messages, in monotonic seconds. Now if they do not say."""
    now = time.monotonic()
    for level, kind, data in control:
        if (level, kind) == (socket.SOL_SOCKET, _SO_TIMESTAMPNS):
            seconds, nanoseconds = _TIMESPEC.unpack(data)
            return now - max(0.0, time.time() - seconds - nanoseconds / 1e9)
    return now


class Checker(Listener):
    """A listener that decodes everything and keeps no sound.

    `frames` counts packets by their length in ms, `audible` those with audible sound. `payloads` are the latest ones.
    `span` is the time that has passed by the RTP clock; for `heard_samples` of it there was a packet, or silence after
    a DTX packet. A server that leaves packets out loses none by their sequence numbers. `unheard` is the time before
    the first and after the latest packet.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(self._check_sound, **options)
        self.payloads: deque[bytes] = deque(maxlen=500)
        self._sound_decoder = Decoder()
        self.reset()

    def reset(self) -> None:
        """Forget what was received so far."""
        self.received, self.since = ReceivedSound(), time.monotonic()
        self.frames: Counter[int] = Counter()
        self.audible = self.undecodable = self.heard_samples = 0
        self._timestamps = Unwrapper(32)
        self._first: int | None = None
        self._end = 0
        self._is_silent = False

    @property
    def span(self) -> int:
        """Samples from the beginning of the first packet to the end of the latest one."""
        return self._end - self._first if self._first is not None else 0

    def unheard(self, now: float) -> int:
        """Samples since `reset` without packets, at the start and up to `now`, beyond what is usual."""
        first, last = self.received.first_at, self.received.last_at
        if first is None or last is None:
            return round((now - self.since) * SAMPLE_RATE)
        usual = DTX_GAP + PATIENCE if self._is_silent else PATIENCE
        gaps = round((first - self.since) * SAMPLE_RATE) - usual, round((now - last) * SAMPLE_RATE) - usual
        return sum(max(0, gap) for gap in gaps)

    def _check_sound(self, packet: TimedPacket) -> None:
        try:
            sound = self._sound_decoder.decode(packet.payload)
        except ValueError:
            self.undecodable += 1
            return
        self.payloads.append(packet.payload)
        self.frames[len(sound) * 20 // FRAME] += 1
        self.audible += bool(abs(sound).max() > 100)
        self._note_time(self._timestamps.unwrap(packet.timestamp), len(sound))
        self._is_silent = len(packet.payload) <= DTX_OCTETS

    def _note_time(self, timestamp: int, samples: int) -> None:
        if self._first is None:
            self._first = timestamp
        elif self._is_silent:
            self.heard_samples += min(DTX_GAP, max(0, timestamp - self._end))
        self._end = max(self._end, timestamp + samples)
        self.heard_samples += samples
