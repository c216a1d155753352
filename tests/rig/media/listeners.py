"""A fan-out with listeners that have a socket and keys, without a handshake."""

import os

from pylibsrtp import Policy, Session

from rooms.media.listeners.audience import Audience
from rooms.media.listeners.fanout import FanOut
from rooms.media.network import rtp
from rooms.media.network.udp import UdpPort


class Sink:
    """A listener with its own socket and keys."""

    row = -1

    def __init__(self, rig: "FanOutRig") -> None:
        key = os.urandom(44)
        profile = Policy.SRTP_PROFILE_AEAD_AES_256_GCM
        self.port = rig.open_port()
        self.incoming = Session(Policy(key, Policy.SSRC_ANY_INBOUND, srtp_profile=profile))
        self.ssrc = 1000 + len(rig.sinks)
        outgoing = Session(Policy(key, Policy.SSRC_ANY_OUTBOUND, srtp_profile=profile))
        rig.fanout.add(self, outgoing, self.port.pack("127.0.0.1", self.port.port), 111, self.ssrc)

    def receive(self) -> list[rtp.RtpPacket]:
        return [rtp.parse(self.incoming.unprotect(data)) for data, _ in self.port.receive()]


class FanOutRig:
    """A fan-out and its listeners."""

    def __init__(self) -> None:
        self.ports: list[UdpPort] = []
        self.port = self.open_port()
        self.fanout = FanOut(self.port, 8)
        self.sinks: list[Sink] = []

    def open_port(self) -> UdpPort:
        self.ports.append(UdpPort("127.0.0.1"))
        return self.ports[-1]

    def enter(self) -> Sink:
        self.sinks.append(Sink(self))
        return self.sinks[-1]

    def tick(self, **payloads: bytes) -> int:
        """Send `all` to all. Single rows (`row0`, ...) get their own payload instead."""
        if "all" in payloads:
            audience = Audience()
            for sink in self.sinks:
                if sink.row >= 0:
                    audience.add(sink)
            self.fanout.write(audience.rows, payloads.pop("all"))
        for name, payload in payloads.items():
            self.fanout.write(int(name[3:]), payload)
        self.fanout.clock += 960
        return self.fanout.flush()

    def close(self) -> None:
        for port in self.ports:
            port.close()
