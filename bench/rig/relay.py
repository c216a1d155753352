"""A bad network between a peer and a server: a UDP relay that loses, delays and reorders, repeatable by a seed.

netem does the same, but is not in every kernel. Each direction has its own network, which may change at any time.
"""

import asyncio
import random
import socket
from collections import Counter
from dataclasses import dataclass

_DATAGRAM = 2048
Address = tuple[str, int]


@dataclass(frozen=True)
class Network:
    """What happens to packets, as shares from 0 to 1 and seconds.

    `jitter` is added to `delay`, evenly from none to all of it, and keeps the order. The share `reordered` of the
    packets arrives `late` seconds after that, so that later ones overtake them.
    """

    loss: float = 0.0
    delay: float = 0.0
    jitter: float = 0.0
    reordered: float = 0.0
    late: float = 0.03


class Link:
    """One direction: decides when each packet arrives. `counts` has the packets passed, lost and reordered."""

    def __init__(self, network: Network, seed: int) -> None:
        self.network = network
        self.counts: Counter[str] = Counter()
        self._chance = random.Random(seed)
        self._last = 0.0

    def arrival(self, now: float) -> float | None:
        """When a packet that is sent at `now` (seconds) arrives, None if it is lost."""
        network, chance = self.network, self._chance
        lost, wait, passed_by = chance.random(), chance.random(), chance.random()
        if lost < network.loss:
            self.counts["lost"] += 1
            return None
        self.counts["passed"] += 1
        self._last = max(self._last, now + network.delay + wait * network.jitter)
        if passed_by >= network.reordered:
            return self._last
        self.counts["reordered"] += 1
        return self._last + network.late


class Relay:
    """Stands between one peer, which sends to `inner`, and the server, which sees `outer`.

    It is perfect at first. `up.network` is the way to the server, `down.network` the way to the peer.
    """

    def __init__(self, host: str, seed: int) -> None:
        self.up, self.down = Link(Network(), 2 * seed), Link(Network(), 2 * seed + 1)
        self._inner, self._outer = _bound(host), _bound(host)
        self.inner: Address = self._inner.getsockname()
        self.outer: Address = self._outer.getsockname()
        self._peer: Address | None = None
        self._server: Address | None = None
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._inner, self._from_peer)
        self._loop.add_reader(self._outer, self._from_server)

    def connect(self, server: Address) -> Address:
        """Pass packets of the peer on to this address from now on. Returns the address that the peer has to send to."""
        self._server = server
        return self.inner

    def rebind(self, host: str) -> None:
        """Forget the mapping, as a router does: the server sees another address, and the old one is dead."""
        self._loop.remove_reader(self._outer)
        self._outer.close()
        self._outer = _bound(host)
        self.outer = self._outer.getsockname()
        self._loop.add_reader(self._outer, self._from_server)

    def _from_peer(self) -> None:
        for data, address in _waiting(self._inner):
            self._peer = address
            if self._server is not None:
                self._pass_on(self.up, self._outer, data, self._server)

    def _from_server(self) -> None:
        for data, _ in _waiting(self._outer):
            if self._peer is not None:
                self._pass_on(self.down, self._inner, data, self._peer)

    def _pass_on(self, link: Link, sock: socket.socket, data: bytes, address: Address) -> None:
        now = self._loop.time()
        at = link.arrival(now)
        if at is None:
            return
        if at <= now:
            _send(sock, data, address)
        else:
            self._loop.call_at(at, _send, sock, data, address)

    def close(self) -> None:
        """Give both ports back, once. Packets on their way are lost."""
        for sock in (self._inner, self._outer):
            if sock.fileno() >= 0:
                self._loop.remove_reader(sock)
                sock.close()


def _bound(host: str) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setblocking(False)
    sock.bind((host, 0))
    return sock


def _waiting(sock: socket.socket) -> list[tuple[bytes, Address]]:
    found = []
    while sock.fileno() >= 0:
        try:
            found.append(sock.recvfrom(_DATAGRAM))
        except BlockingIOError:
            break
        except ConnectionRefusedError:  # an error of an earlier packet
            continue
    return found


def _send(sock: socket.socket, data: bytes, address: Address) -> None:
    if sock.fileno() < 0:
        return
    try:
        sock.sendto(data, address)
    except (BlockingIOError, ConnectionRefusedError):  # a network drops what it cannot take
        return
