"""One browser on a node: its address, its keys, its row in the fan-out, and what it may send."""

import secrets
from collections import Counter
from typing import Protocol

import pylibsrtp

from rooms.media.contract.held import Reception
from rooms.media.network import rtcp, rtp
from rooms.media.network.dtls import Certificate, DtlsSession
from rooms.media.network.ice import IcePeer
from rooms.media.network.quality import STALE_SECONDS, Connection
from rooms.media.network.sdp import Offer
from rooms.media.network.source import Source
from rooms.media.network.udp import UdpPort
from rooms.media.rate_limit import RateLimit
from rooms.media.sound.opus import MAX_PAYLOAD

PACKETS_PER_SECOND, PACKETS_AT_ONCE = 200.0, 100.0
REPORT_SECONDS = 1.0  # between two reports to a peer that sends sound
SSRC_CHANGES_PER_MINUTE = 6.0  # a browser may change it with the microphone


class Room(Protocol):
    """The Space of a peer."""

    def on_sound(self, peer: "Peer", packet: rtp.RtpPacket, now: float) -> None:
        """Take a decrypted packet of the right type, size and rate."""

    def on_report(self, peer: "Peer", now: float) -> None:
        """Note that the browser has reported how it receives."""

    def on_goodbye(self, peer: "Peer") -> None:
        """Note that the microphone of the peer has ended, not the peer (RFC 3550 section 6.6)."""


class Engine(Protocol):
    """What a peer needs of the engine."""

    port: UdpPort
    certificate: Certificate

    def on_record(self, peer: "Peer", data: bytes) -> None:
        """Take a DTLS record, to be handed to the peer's session when there is time."""

    def on_connected(self, peer: "Peer") -> None:
        """Send to the peer: the handshake is done."""

    def on_gone(self, peer: "Peer") -> None:
        """Forget the peer: it said goodbye, or its handshake failed."""

    def on_moved(self, peer: "Peer", address: bytes) -> None:
        """Send to the peer's new address."""

    def on_restarted(self, before: IcePeer) -> None:
        """Drop these credentials: the peer was checked under new ones."""

    def on_report_due(self, peer: "Peer") -> None:
        """Report to a connected peer how its sound arrives."""


class Peer:
    """The state of one connection, from the offer on. Times are seconds of the node's clock."""

    row = -1  # in the fan-out; -1 before the handshake

    def __init__(
        self,
        engine: Engine,
        room: Room,
        participant: str,
        offer: Offer,
        now: float,
    ) -> None:
        self.participant, self.offer, self._engine, self._room = participant, offer, engine, room
        self.ice = self._expect(offer, now)
        self.next_ice: IcePeer | None = None  # of an ICE restart, until the first check
        self.restarts = 0
        self.out_ssrc = secrets.randbelow(2**32 - 1) + 1
        self.session = DtlsSession(
            engine.certificate,
            self._send,
            lambda: engine.on_connected(self),
            lambda: engine.on_gone(self),
            ssrc=self.out_ssrc,
        )
        self.drops: Counter[str] = Counter()
        self.received = 0
        self.reception: Reception | None = None  # the latest report of the browser
        self.reception_at = 0.0
        self.source: Source | None = None  # what comes from its microphone
        self.connection = Connection()
        self._rate = RateLimit(PACKETS_PER_SECOND, PACKETS_AT_ONCE)
        self._dtls_rate = RateLimit(PACKETS_PER_SECOND, PACKETS_AT_ONCE)
        self._ssrc_rate = RateLimit(SSRC_CHANGES_PER_MINUTE / 60, 3)

    @property
    def connected(self) -> bool:
        """Whether packets of sound are sent to it."""
        return self.row >= 0

    @property
    def outgoing(self) -> pylibsrtp.Session | None:
        """The SRTP session towards the browser. None before the handshake is done."""
        return self.session.outgoing

    @property
    def ssrc(self) -> int | None:
        """The SSRC of its microphone. None while nothing comes from it."""
        return self.source.ssrc if self.source else None

    def loss(self, now: float) -> float | None:
        """The share of packets that the browser reports as lost. None without a report for STALE_SECONDS."""
        if self.reception is None or now - self.reception_at >= STALE_SECONDS:
            return None
        return self.reception.loss

    def start(self) -> None:
        """Begin to wait for the browser's handshake."""
        self.session.start(self.offer.fingerprints)

    def _expect(self, offer: Offer, now: float) -> IcePeer:
        ice = IcePeer(self, now)
        ice.remote_fragment = offer.fragment.encode()
        return ice

    def is_restart(self, offer: Offer) -> bool:
        """Whether the offer belongs to this connection and its certificate, with new credentials."""
        known = self.offer
        same = (offer.mid, offer.payload_type) == (known.mid, known.payload_type)
        is_new = offer.fragment.encode() != self.ice.remote_fragment
        return same and is_new and set(offer.fingerprints) == set(known.fingerprints)

    def restart(self, offer: Offer, now: float) -> IcePeer:
        """Accept new credentials, too (RFC 8445 section 9). The old ones hold until a check under the new ones."""
        self.next_ice = self._expect(offer, now)
        self.restarts += 1
        return self.next_ice

    def on_address(self, ice: IcePeer, address: bytes) -> None:
        """Follow the browser to another address."""
        if ice is self.next_ice:
            before, self.ice, self.next_ice = self.ice, ice, None
            self._engine.on_restarted(before)
        self._engine.on_moved(self, address)

    def on_dtls(self, data: bytes, now: float) -> None:
        """Pass a DTLS record on to the handshakes."""
        if not self._dtls_rate.allows(now):
            self._drop("rate")
        else:
            self._engine.on_record(self, data)

    def on_media(self, data: bytes, now: float) -> bool:
        """Check, decrypt and pass on a packet. Returns whether it was authentic.

        Only authentic packets count against the limits, so forging an address silences no participant.
        """
        incoming = self.session.incoming
        if incoming is None:
            return self._drop("early")
        is_report = rtp.is_rtcp(data)
        is_new = not is_report and not self._is_of_source(data)
        if not self._rate.has_room(now):
            return self._drop("rate")
        if is_new and not self._ssrc_rate.has_room(now):  # libsrtp keeps a state for every SSRC
            return self._drop("ssrc")
        try:
            plain = incoming.unprotect_rtcp(data) if is_report else incoming.unprotect(data)
        except pylibsrtp.Error:
            return self._drop("srtp")
        self._rate.take()
        if is_new:
            self._ssrc_rate.take()
        self._on_authentic(plain, is_report, now)
        return True

    def _on_authentic(self, data: bytes, is_report: bool, now: float) -> None:
        try:
            if is_report:
                self._on_reports(data, now)
            else:
                self._on_packet(rtp.parse(data), now)
        except ValueError:
            self._drop("malformed")

    def _on_reports(self, data: bytes, now: float) -> None:
        found = rtcp.read(data, self.out_ssrc, now)
        if found.receptions:
            self.reception, self.reception_at = found.receptions[-1], now
            self.connection.on_reception(self.reception, now)
            self._room.on_report(self, now)
        if self.source is None:
            return
        if self.source.ssrc in found.times:
            self.source.on_sender_report(found.times[self.source.ssrc], now)
        if self.source.ssrc in found.goodbyes:
            self.source = None
            self._room.on_goodbye(self)

    def report(self, now: float, timestamp: int, packets: int, octets: int) -> None:
        """Tell the browser how much was sent, what time it is, and how well its own sound arrives.

        Its reports then contain the round trip, and its encoder prepares for the loss.
        """
        if self.outgoing is not None:
            block = self.source.report(now) if self.source else None
            if self.source is not None and block is not None:
                self.connection.on_source(self.source, now)
            report = rtcp.sender_report(self.out_ssrc, now, timestamp, packets, octets, block)
            self._send(self.outgoing.protect_rtcp(report))

    def _on_packet(self, packet: rtp.RtpPacket, now: float) -> None:
        if self.source is None or self.source.ssrc != packet.ssrc:
            self.source = Source(packet.ssrc, now)
        self.source.count(packet, now)
        if packet.payload_type != self.offer.payload_type:
            self._drop("payload-type")
        elif not 0 < len(packet.payload) <= MAX_PAYLOAD:
            self._drop("size")
        else:
            self.received += 1
            self._room.on_sound(self, packet, now)
            if self.connected and now - self.source.reported_at >= REPORT_SECONDS:
                self._engine.on_report_due(self)

    def _is_of_source(self, data: bytes) -> bool:
        """Whether a packet has the SSRC of the packets before."""
        return self.ssrc is not None and data[8:12] == self.ssrc.to_bytes(4, "big")

    def _drop(self, cause: str) -> bool:
        self.drops[cause] += 1
        return False

    def _send(self, data: bytes) -> None:
        if self.ice.address is not None:
            self._engine.port.send(data, self.ice.address)
