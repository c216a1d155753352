"""A WebRTC peer without a browser: real ICE checks and DTLS-SRTP. It sends packets, counts and decodes what it gets.

For the simulation, the demonstration, the benches and the tests. It is light enough for a hundred peers in one process:
they share one clock (`Crowd`). A test can also drive a peer itself, by `read` and `tick`.
"""

import asyncio
import os
import re
import secrets
import time
from collections.abc import Callable, Sequence
from functools import cache
from types import TracebackType
from typing import Self

import pylibsrtp
from aiortc.rtp import RtcpByePacket, RtcpPacket, RtcpReceiverInfo, RtcpRrPacket, RtcpSrPacket

from rooms.media.client.received import ReceivedSound
from rooms.media.clock import Ticker
from rooms.media.network import rtp, stun
from rooms.media.network.dtls import Certificate, DtlsSession
from rooms.media.network.udp import UdpPort
from rooms.media.numbers import Unwrapper
from rooms.media.sound.opus import Decoder
from rooms.media.units import FRAME

PAYLOAD_TYPE = 111
CHECK_SECONDS = 0.05  # between checks until one is answered
CONSENT_SECONDS = 2.5  # between checks from then on
QUEUE = 128 * 1024  # octets in the kernel; two seconds of sound
PRIORITY = (126 << 24) + (65_535 << 8) + 255  # of its checks (RFC 8445 section 5.1.2)


@cache
def shared_certificate() -> Certificate:
    """One certificate for all peers of this process."""
    return Certificate.generateCertificate()


class Client:
    """One peer, sending from `host`. `decode` keeps the sound, `arrivals` keeps the time of each packet.

    Use: `answer = await signal(client.offer())`, `client.accept(answer)`, `await client.connected()`. After a change of
    network (`move`), do the same with the offer of `restart()`: the connection goes on.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        decode: bool = False,
        arrivals: bool = False,
        clock: Callable[[], float] = time.monotonic,
        certificate: Certificate | None = None,
    ) -> None:
        self.received = ReceivedSound()
        self.port = UdpPort(host, batch=8, queue=QUEUE)
        self.gone = asyncio.Event()
        self.sent = 0
        self._clock, self._keep_arrivals = clock, arrivals
        self._decoder = Decoder() if decode else None
        self._certificate = certificate or shared_certificate()
        self._session = DtlsSession(self._certificate, self.send_raw, self._on_connected, self._on_gone, server=False)
        self._ready, self._sounding = asyncio.Event(), asyncio.Event()
        self._fragment, self._password = _credentials()
        self._remote: dict[str, str] = {}
        self.priority = PRIORITY
        self._address: bytes | None = None
        self._reached = self._shaking_hands = False
        self._next_check = 0.0
        self._sequences, self._timestamps = Unwrapper(16), Unwrapper(32)
        self._packets: Sequence[bytes] = ()
        self._next_packet = 0
        self._ssrc = secrets.randbits(32)
        self._reported_expected = self._reported_lost = 0
        self._sequence, self._timestamp = secrets.randbits(15), secrets.randbits(32)

    def offer(self) -> str:
        """An SDP offer like that of a browser with one transceiver."""
        ((algorithm, fingerprint),) = self._certificate.fingerprints
        lines = [
            "v=0",
            f"o=- {self._ssrc} 2 IN IP4 127.0.0.1",
            "s=-",
            "t=0 0",
            "a=group:BUNDLE 0",
            f"m=audio 9 UDP/TLS/RTP/SAVPF {PAYLOAD_TYPE}",
            "c=IN IP4 0.0.0.0",
            "a=mid:0",
            "a=sendrecv",
            "a=rtcp-mux",
            f"a=ice-ufrag:{self._fragment}",
            f"a=ice-pwd:{self._password}",
            f"a=fingerprint:{algorithm} {fingerprint}",
            "a=setup:actpass",
            f"a=rtpmap:{PAYLOAD_TYPE} opus/48000/2",
        ]
        return "\r\n".join(lines) + "\r\n"

    def accept(self, answer: str) -> None:
        """Take the node's answer and begin to check its best address of our family. ValueError if there is none."""
        self._remote = dict(re.findall(r"^a=(ice-ufrag|ice-pwd|fingerprint):(.*?)\r?$", answer, re.MULTILINE))
        candidates = re.findall(r"^a=candidate:\S+ 1 udp \d+ (\S+) (\d+) typ host", answer, re.MULTILINE)
        ours = [(host, int(port)) for host, port in candidates if (":" in host) == self.port.is_ipv6]
        if not ours or len(self._remote) != 3:
            raise ValueError("not the answer of a node that we reach")
        self._address = self.port.pack(*ours[0])
        self._reached = False
        self._check()

    def restart(self) -> str:
        """The offer of an ICE restart: new credentials, the same certificate (RFC 8445 section 9)."""
        self._fragment, self._password = _credentials()
        return self.offer()

    def move(self, host: str = "127.0.0.1") -> None:
        """Continue from another address, as if a router forgot its mapping or the network changed."""
        self.stop_reading()
        self.port.close()
        self.port = UdpPort(host, batch=8, queue=QUEUE)
        self.start()

    @property
    def fragments(self) -> tuple[str, str]:
        """The user fragments of its checks: the node's and its own. Available after `accept`."""
        return self._remote["ice-ufrag"], self._fragment

    async def connected(self, seconds: float = 10.0) -> None:
        """Wait until sound can be sent and received. TimeoutError after `seconds`."""
        async with asyncio.timeout(seconds):
            await self._ready.wait()

    async def sounding(self, seconds: float = 10.0) -> None:
        """Wait for the first packet of sound. TimeoutError after `seconds`."""
        async with asyncio.timeout(seconds):
            await self._sounding.wait()

    def speak(self, packets: Sequence[bytes]) -> None:
        """Send these packets of 20 ms repeatedly, one per tick. Without packets, send nothing."""
        self._packets, self._next_packet = packets, 0

    def tick(self, now: float) -> None:
        """Send what is due: the next packet of sound, and a check."""
        if now >= self._next_check and self._address is not None:
            self._check()
        self._timestamp = (self._timestamp + FRAME) & 0xFFFFFFFF
        if self._packets:
            self.send_packet(self._packets[self._next_packet % len(self._packets)])
            self._next_packet += 1

    def send_packet(self, payload: bytes, payload_type: int = PAYLOAD_TYPE) -> None:
        """Send one packet of sound at the current timestamp."""
        outgoing = self._session.outgoing
        if outgoing is None:
            return
        self._sequence = (self._sequence + 1) & 0xFFFF
        packet = rtp.RtpPacket(payload_type, self._sequence, self._timestamp, self._ssrc, payload)
        self.send_raw(outgoing.protect(rtp.build(packet)))
        self.sent += 1

    def send_raw(self, data: bytes) -> None:
        """Send a datagram to the node as it is."""
        if self._address is not None:
            self.port.send(data, self._address)

    def read(self) -> None:
        """Take all packets that have arrived."""
        while packets := self.port.receive():
            now = self._clock()
            for data, _ in packets:
                self._on_datagram(data, now)

    def _on_datagram(self, data: bytes, now: float) -> None:
        if not data:
            return
        if data[0] < 4:
            self._on_check_answered(data)
        elif data[0] < 64:
            self._session.feed(data)
        elif self._session.incoming is not None and rtp.is_rtcp(data):
            self._on_reports(self._session.incoming, data)
        elif self._session.incoming is not None:
            self._on_sound(self._session.incoming, data, now)

    def _on_sound(self, incoming: pylibsrtp.Session, data: bytes, now: float) -> None:
        try:
            packet = rtp.parse(incoming.unprotect(data))
        except (pylibsrtp.Error, ValueError):
            self.received.malformed += 1
            return
        sequence = self._sequences.unwrap(packet.sequence)
        self.received.count(sequence, len(data), now)
        self._sounding.set()
        self._on_packet(packet, sequence, now)

    def _on_packet(self, packet: rtp.RtpPacket, sequence: int, now: float) -> None:
        """Keep the arrival and the sound of a packet, as configured. `sequence` is unwrapped."""
        if self._keep_arrivals:
            self.received.arrivals.append(now)
        if self._decoder is not None:
            self.received.keep(self._decoder.decode(packet.payload), self._timestamps.unwrap(packet.timestamp))

    def _on_reports(self, incoming: pylibsrtp.Session, data: bytes) -> None:
        try:
            reports = RtcpPacket.parse(incoming.unprotect_rtcp(data))
        except (pylibsrtp.Error, ValueError):
            self.received.malformed += 1
            return
        self.received.reports += [report for report in reports if isinstance(report, RtcpSrPacket)]
        self.received.reported_at = self._clock()

    def send_report(self, loss: float, jitter: int = 0) -> None:
        """Report to the node the share of lost packets, and the jitter in samples. Answers its latest report."""
        outgoing, last = self._session.outgoing, self.received.reports[-1]
        if outgoing is not None:
            asked = (last.sender_info.ntp_timestamp >> 16) & 0xFFFFFFFF
            ago = round((self._clock() - self.received.reported_at) * 65536)
            expected = self.received.expected
            self._reported_lost += round(loss * (expected - self._reported_expected))
            self._reported_expected = expected
            block = RtcpReceiverInfo(last.ssrc, round(loss * 256), self._reported_lost, expected, jitter, asked, ago)
            self.send_raw(outgoing.protect_rtcp(bytes(RtcpRrPacket(self._ssrc, [block]))))

    def send_goodbye(self) -> None:
        """Send an RTCP BYE: the microphone has ended (RFC 3550 section 6.6)."""
        outgoing = self._session.outgoing
        if outgoing is not None:
            goodbye = bytes(RtcpRrPacket(self._ssrc, [])) + bytes(RtcpByePacket([self._ssrc]))
            self.send_raw(outgoing.protect_rtcp(goodbye))

    def _check(self) -> None:
        """Send a binding request that nominates (RFC 8445 section 7.2.2)."""
        user = ":".join(self.fragments).encode()
        attributes = (
            stun.attribute(stun.USERNAME, user)
            + stun.attribute(stun.CONTROLLING, self._ssrc.to_bytes(8, "big"))
            + stun.attribute(stun.USE_CANDIDATE)
            + stun.attribute(stun.PRIORITY, self.priority.to_bytes(4, "big"))
        )
        self.send_raw(stun.build(stun.REQUEST, os.urandom(12), attributes, self._remote["ice-pwd"].encode()))
        self._next_check = self._clock() + (CONSENT_SECONDS if self._reached else CHECK_SECONDS)

    def _on_check_answered(self, data: bytes) -> None:
        try:
            message = stun.parse(data)
        except ValueError:
            return
        signed = stun.is_signed(data, self._remote["ice-pwd"].encode())
        if message.kind == stun.SUCCESS and signed and not self._reached:
            self._reached = True
            self._next_check = self._clock() + CONSENT_SECONDS
            self._shake_hands()

    def _shake_hands(self) -> None:
        """Begin the DTLS handshake, once."""
        if not self._shaking_hands:
            self._shaking_hands = True
            algorithm, _, fingerprint = self._remote["fingerprint"].partition(" ")
            self._session.start([(algorithm, fingerprint)])

    def _on_connected(self) -> None:
        self._ready.set()

    def _on_gone(self) -> None:
        self.gone.set()

    def start(self) -> None:
        """Read packets when they arrive, in the running event loop."""
        asyncio.get_running_loop().add_reader(self.port.socket, self.read)

    def stop_reading(self) -> None:
        """Stop reading. The kernel drops what arrives."""
        asyncio.get_running_loop().remove_reader(self.port.socket)

    def vanish(self) -> None:
        """Disappear without a goodbye, as if the battery died."""
        if self.port.socket.fileno() >= 0:
            self.stop_reading()
            self.port.close()
        self._address = None
        self._session.abandon()

    async def close(self) -> None:
        """Say goodbye and give the port back."""
        await self._session.close()
        self.vanish()


def _credentials() -> tuple[str, str]:
    """A user fragment and a password."""
    return secrets.token_hex(4), secrets.token_hex(12)


class Crowd:
    """The clock of many peers: `async with Crowd() as crowd: crowd.add(client)`. Its time is the event loop's."""

    def __init__(self) -> None:
        self.clients: list[Client] = []
        self._ticker: Ticker | None = None

    def add(self, client: Client) -> Client:
        """Let a peer read and tick from now on. Returns it."""
        client.start()
        self.clients.append(client)
        return client

    def remove(self, client: Client) -> None:
        """Let a peer go without a goodbye: its Space, or the node, is gone."""
        self.clients.remove(client)
        client.vanish()

    async def __aenter__(self) -> Self:
        self._ticker = Ticker(asyncio.get_running_loop(), self._tick)
        self._ticker.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._ticker is not None:
            self._ticker.stop()
        for client in self.clients:
            await client.close()

    def _tick(self, now: float, missed: int) -> None:
        for client in self.clients:
            client.tick(now)
