"""A flood of packets from strangers to the port of a node, from a process of its own.

`python -m bench.rig.flood --port 40000` floods for each line of its input, JSON like {"kinds": ["garbage"], "rate":
20000, "seconds": 5}, and prints a line of JSON with what it sent. All packets are made beforehand, and many leave with
one system call, from many ports of 127.0.0.0/8, so that it takes little of the rig's core.
"""

import argparse
import asyncio
import contextlib
import itertools
import os
import random
import sys
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, Self

import msgspec
import numpy as np

from bench.rig import machine
from rooms.media.network import rtp, stun
from rooms.media.network.udp import UdpPort

SOURCES = 128  # ports to send from
POOL = 1024  # different packets of each kind
STEP_SECONDS = 0.002
MOST_BEHIND = 0.02  # seconds of late packets that are sent at once
PRIORITY = 1  # real-time priority, if the system allows it: a late flood would be a smaller one
_ROW = 512  # octets, more than any packet here
_DTLS_HEADER = b"\xfe\xff\x00\x00\x00\x00\x00\x00"  # version, epoch, most of the record's number


def garbage(chance: random.Random) -> bytes:
    """Octets of no protocol that a node knows (RFC 7983 section 7)."""
    first = chance.choice((*range(4, 20), *range(64, 128), *range(192, 256)))
    return bytes([first]) + chance.randbytes(chance.randint(0, 200))


def unknown_fragment(chance: random.Random) -> bytes:
    """A valid check with an unknown user fragment."""
    return check(chance.randbytes(8).hex(), chance.randbytes(4).hex(), chance)


def check(receiver: str, sender: str, chance: random.Random) -> bytes:
    """A connectivity check (RFC 8445 section 7.2.2), signed with a guessed password."""
    attributes = (
        stun.attribute(stun.USERNAME, f"{receiver}:{sender}".encode())
        + stun.attribute(stun.CONTROLLING, chance.randbytes(8))
        + stun.attribute(stun.USE_CANDIDATE)
        + stun.attribute(stun.PRIORITY, chance.randbytes(4))
    )
    return stun.build(stun.REQUEST, chance.randbytes(12), attributes, chance.randbytes(16).hex().encode())


def dtls(chance: random.Random) -> bytes:
    """Something like a ClientHello (RFC 6347 section 4.2), or a record of random octets."""
    if chance.random() < 0.5:
        size = chance.randint(80, 200)
        message = b"\x01" + size.to_bytes(3, "big") + bytes(5) + size.to_bytes(3, "big")
        body = message + b"\xfe\xfd" + chance.randbytes(size - 2)
        return b"\x16" + _DTLS_HEADER + chance.randbytes(2) + len(body).to_bytes(2, "big") + body
    return bytes([chance.randint(20, 63)]) + chance.randbytes(chance.randint(0, 200))


def srtp(chance: random.Random) -> bytes:
    """Something like an encrypted packet of sound, or sometimes of reports."""
    if chance.random() < 0.1:
        return b"\x80" + bytes([chance.randint(200, 204)]) + chance.randbytes(60)
    packet = rtp.RtpPacket(111, chance.getrandbits(16), chance.getrandbits(32), chance.getrandbits(32), b"")
    return rtp.build(packet) + chance.randbytes(chance.randint(20, 180))


class Kind(NamedTuple):
    """How to make a packet, and the cause under which a node counts it as dropped."""

    make: Callable[[random.Random], bytes]
    cause: str


KINDS = {
    "garbage": Kind(garbage, "unknown"),
    "stun": Kind(unknown_fragment, "stun-stranger"),
    "dtls": Kind(dtls, "dtls-unchecked"),
    "srtp": Kind(srtp, "media-unchecked"),
}
SIGNATURE = "signature"  # checks for a peer that is there, with a wrong signature: needs its fragments
CAUSES = {name: kind.cause for name, kind in KINDS.items()} | {SIGNATURE: "stun-signature"}


def packets(kind: str, fragments: tuple[str, str], chance: random.Random) -> list[bytes]:
    """POOL packets of a kind. `fragments` are the node's and the browser's, of a peer that is there."""
    if kind == SIGNATURE:
        return [check(*fragments, chance) for _ in range(POOL)]
    return [KINDS[kind].make(chance) for _ in range(POOL)]


class Flood:
    """Sends packets repeatedly to a port of 127.0.0.1. `sent` counts those that the kernel took."""

    def __init__(self, port: int, fragments: tuple[str, str], seed: int = 1) -> None:
        chance = random.Random(seed)
        pool = [packet for kind in (*KINDS, SIGNATURE) for packet in packets(kind, fragments, chance)]
        self._ports = [UdpPort(f"127.{1 + number % 8}.0.{1 + number // 8}") for number in range(SOURCES)]
        self._rows = np.zeros((len(pool), _ROW), np.uint8)
        self._envelopes = self._ports[0].envelopes(self._rows)
        address = self._ports[0].pack("127.0.0.1", port)
        for row, packet in enumerate(pool):
            self._rows[row, : len(packet)] = np.frombuffer(packet, np.uint8)
            self._envelopes.sizes[row] = len(packet)
            self._envelopes.address(row, address)
        self._sources = itertools.cycle(self._ports)
        self.sent = 0
        self.choose(tuple(KINDS))

    def choose(self, kinds: Sequence[str]) -> None:
        """Send packets of these kinds in turns from now on."""
        starts = [POOL * (*KINDS, SIGNATURE).index(kind) for kind in kinds]
        rows = (np.array(starts) + np.arange(POOL)[:, None]).reshape(-1)
        self._headers, self._next = self._envelopes.headers[rows], 0

    def send(self, count: int) -> None:
        """Send the next packets, from the next port."""
        source = next(self._sources)
        while count > 0:
            end = min(self._next + count, len(self._headers))
            self.sent += source.send_many(self._headers[self._next : end])
            count -= end - self._next
            self._next = end % len(self._headers)

    def run(self, rate: float, seconds: float) -> float:
        """Send `rate` packets a second for `seconds`. Returns the seconds that it took."""
        start, due = time.monotonic(), 0.0
        while (passed := time.monotonic() - start) < seconds:
            due = max(due, (passed - MOST_BEHIND) * rate)
            wanted = int(passed * rate - due)
            self.send(wanted)
            due += wanted
            time.sleep(STEP_SECONDS)
        return time.monotonic() - start

    def close(self) -> None:
        """Give all ports back."""
        for port in self._ports:
            port.close()


class FloodRequest(msgspec.Struct):
    """What to send: kinds of packets, packets a second, and seconds."""

    kinds: tuple[str, ...]
    rate: float
    seconds: float


class Sent(msgspec.Struct):
    """What was sent: packets that the kernel took, and packets a second."""

    packets: int
    rate: float


class Generator:
    """The process that floods, on the rig's core: `async with Generator(port, fragments) as generator`."""

    def __init__(self, port: int, fragments: tuple[str, str]) -> None:
        self._command = [sys.executable, "-m", "bench.rig.flood", "--port", str(port)]
        self._command += ["--fragments", ":".join(fragments)]

    async def __aenter__(self) -> Self:
        pipe = asyncio.subprocess.PIPE
        with machine.on_core(machine.cores()[1]):
            self._process = await asyncio.create_subprocess_exec(*self._command, stdin=pipe, stdout=pipe)
        await self._line()
        return self

    async def __aexit__(self, *failure: object) -> None:
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()

    async def flood(self, wish: FloodRequest) -> Sent:
        """Flood, and return what was sent when it is over."""
        assert self._process.stdin is not None
        self._process.stdin.write(msgspec.json.encode(wish) + b"\n")
        return msgspec.json.decode(await self._line(), type=Sent)

    async def _line(self) -> bytes:
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            raise machine.Failed("the generator of the flood has failed")
        return line


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="of the node, on 127.0.0.1")
    parser.add_argument("--fragments", default="node:browser", help="the user fragments of a peer that is there")
    chosen = parser.parse_args()
    receiver, _, sender = chosen.fragments.partition(":")
    made = Flood(chosen.port, (receiver, sender))
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(PRIORITY))
    print("ready", flush=True)
    for line in sys.stdin:
        wish = msgspec.json.decode(line, type=FloodRequest)
        before = made.sent
        made.choose(wish.kinds)
        took = made.run(wish.rate, wish.seconds)
        sent = made.sent - before
        print(msgspec.json.encode(Sent(sent, round(sent / took))).decode(), flush=True)


if __name__ == "__main__":
    main()
