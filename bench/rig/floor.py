"""The floor: the least that sending from Python costs. `srtp_protect` on every packet, one `sendmmsg`, every 20 ms.

Run it as a process of its own: `python -m bench.rig.floor --listeners 200`, with payloads as lines of hexadecimal
digits on the standard input. The last line of its output is percent of a core per listener. The cost of the clock and
of the first listener is taken off, as it is for the servers.
"""

import argparse
import itertools
import secrets
import socket
import sys
import time
from collections.abc import Sequence

import numpy as np
from aiortc.rtcdtlstransport import SRTP_PROFILES
from pylibsrtp import Policy, Session, ffi, lib

from rooms.media.client.peer import PAYLOAD_TYPE
from rooms.media.clock import TICK_SECONDS
from rooms.media.network.dtls import is_not_first, srtp_thread
from rooms.media.network.rtp import HEADER, RtpPacket, build
from rooms.media.network.udp import UdpPort
from rooms.media.units import FRAME

PROFILE = min(SRTP_PROFILES, key=is_not_first)  # the one that a node and a peer with all of them agree on
ROW = 1408  # octets
QUEUE = 4096  # octets; the sinks do not read
SSRC = 1


def policy(kind: int, key: bytes) -> Policy:
    """The policy of a session that encrypts (Policy.SSRC_SPECIFIC) or decrypts (SSRC_ANY_INBOUND)."""
    return Policy(key, kind, SSRC, PROFILE.libsrtp_profile)


class Floor:
    """Sends the same payload to many ports of 127.0.0.1, each with its own SRTP session."""

    def __init__(self, ports: Sequence[int]) -> None:
        count = len(ports)
        self.key = secrets.token_bytes(PROFILE.key_length + PROFILE.salt_length)
        self._port = UdpPort("127.0.0.1")
        self._packets = np.zeros((count, ROW), np.uint8)
        self._sizes = np.zeros(count, np.int32)
        self._envelopes = self._port.envelopes(self._packets)
        for row, port in enumerate(ports):
            self._envelopes.address(row, self._port.pack("127.0.0.1", port))
        base, sizes = self._packets.ctypes.data, self._sizes.ctypes.data
        self._pointers = [ffi.cast("void *", base + row * ROW) for row in range(count)]
        self._size_pointers = [ffi.cast("int *", sizes + row * 4) for row in range(count)]
        sending = policy(Policy.SSRC_SPECIFIC, self.key)
        self._sessions = list(srtp_thread.map(Session, [sending] * count))  # as in a node
        self._contexts = [session._srtp[0] for session in self._sessions]
        self._sequence = 0

    def send(self, payload: bytes) -> int:
        """Send one packet to all. Returns how many the kernel took."""
        self._sequence = (self._sequence + 1) & 0xFFFF
        plain = build(RtpPacket(PAYLOAD_TYPE, self._sequence, self._sequence * FRAME & 0xFFFFFFFF, SSRC, payload))
        self._packets[:, : len(plain)] = np.frombuffer(plain, np.uint8)
        self._sizes[:] = HEADER + len(payload)
        if any(map(lib.srtp_protect, self._contexts, self._pointers, self._size_pointers)):
            raise RuntimeError("libsrtp refused a packet")
        self._envelopes.sizes[:] = self._sizes
        return self._port.send_many(self._envelopes.headers)

    def close(self) -> None:
        """Give the port back."""
        self._port.close()


def sinks(count: int) -> list[socket.socket]:
    """Sockets that are not read."""
    made = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
    for sink in made:
        sink.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, QUEUE)
        sink.bind(("127.0.0.1", 0))
    return made


def cpu_share(floor: Floor, payloads: Sequence[bytes], seconds: float) -> float:
    """Send by an absolute clock of 20 ms. Returns how many percent of a core that used."""
    start, cpu = time.monotonic(), time.process_time()
    source = itertools.cycle(payloads)
    for tick in range(1, round(seconds / TICK_SECONDS) + 1):
        floor.send(next(source))
        time.sleep(max(0.0, start + tick * TICK_SECONDS - time.monotonic()))
    return (time.process_time() - cpu) / (time.monotonic() - start) * 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listeners", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=10.0)
    chosen = parser.parse_args()
    payloads = [bytes.fromhex(line) for line in sys.stdin.read().split()]
    silent = sinks(chosen.listeners)
    ports = [sink.getsockname()[1] for sink in silent]
    alone, floor = Floor(ports[:1]), Floor(ports)
    cpu_share(floor, payloads, 1.0)  # warm up
    base, whole = (cpu_share(each, payloads, chosen.seconds) for each in (alone, floor))
    print((whole - base) / (chosen.listeners - 1))


if __name__ == "__main__":
    main()
