"""ICE-lite for many peers on one UDP port (RFC 8445 section 2.5, RFC 7675 consent, RFC 7983 demultiplexing).

The user fragment in a check names the peer. An address is accepted only after a check with the right signature.
Everything else is dropped and counted by cause.
"""

import secrets
from collections import Counter, deque
from typing import Protocol

from rooms.media.network import stun, udp
from rooms.media.network.rtp import MAX_PACKET

CONSENT_SECONDS = 30.0  # without a check after which a peer is gone (RFC 7675 section 5.1)
SILENT_SECONDS = 1.5  # after which a nomination from elsewhere is followed even without a higher priority
MAX_ADDRESSES = 8  # of one peer
REMEMBERED = 16  # transactions of a peer, so that a copied check is worth nothing from elsewhere


class Owner(Protocol):
    """Takes what a browser sends from a checked address."""

    def on_dtls(self, data: bytes, now: float) -> None:
        """Take a DTLS record."""

    def on_media(self, data: bytes, now: float) -> bool:
        """Take an SRTP or SRTCP packet. Returns whether it was authentic."""

    def on_address(self, ice: "IcePeer", address: bytes) -> None:
        """Send to this address of `ice` from now on."""


class IcePeer:
    """One browser: credentials both ways, its checked addresses, and the one that media go to.

    An ICE restart (RFC 8445 section 9) makes another one with the same owner.
    """

    def __init__(self, owner: Owner, now: float) -> None:
        self.owner = owner
        self.fragment = secrets.token_hex(8).encode()
        self.password = secrets.token_hex(16).encode()
        self.remote_fragment = b""
        self.address: bytes | None = None
        self.heard_at = now  # last authenticated packet from `address`
        self.consent_at = now  # last check from anywhere
        self.addresses: dict[bytes, CheckedAddress] = {}
        self.priority = -1
        self._transactions: deque[bytes] = deque(maxlen=REMEMBERED)

    def is_replay(self, transaction: bytes) -> bool:
        """Whether this transaction was seen before. Remembers it."""
        seen = transaction in self._transactions
        self._transactions.append(transaction)
        return seen

    def is_silent(self, now: float) -> bool:
        """Whether the address in use has been silent for longer than a browser ever is."""
        return now - self.heard_at > SILENT_SECONDS

    def may_move(self, priority: int, now: float) -> bool:
        """Whether to follow a nomination from another address."""
        return self.address is None or priority > self.priority or self.is_silent(now)


class CheckedAddress:
    """An address that passed a check, and what makes its next check cheap."""

    def __init__(self, peer: IcePeer, message: stun.Message, body: bytes, address: bytes) -> None:
        self.peer, self.body = peer, body
        self.nominates = stun.USE_CANDIDATE in message.attributes
        self.priority = message.priority
        host, port = udp.unpack(address)
        # Only the cookie masks an IPv4 address, so the attribute of the answer is the same each time.
        self.mapped = stun.xor_address(host, port, message.transaction) if ":" not in host else None
        self.host, self.port = host, port

    def answer(self, transaction: bytes) -> bytes:
        """The success response to a check from this address."""
        mapped = self.mapped or stun.xor_address(self.host, self.port, transaction)
        return stun.build(stun.SUCCESS, transaction, mapped, self.peer.password)


class IceLite:
    """All peers of a node. `drops` counts what was dropped, by cause."""

    def __init__(self, port: udp.UdpPort) -> None:
        self.port = port
        self.drops: Counter[str] = Counter()
        self.checks = 0
        self._by_fragment: dict[bytes, IcePeer] = {}
        self._by_address: dict[bytes, CheckedAddress] = {}

    def add(self, peer: IcePeer) -> None:
        """Answer checks of this peer from now on."""
        self._by_fragment[peer.fragment] = peer

    def remove(self, peer: IcePeer) -> None:
        """Forget this peer."""
        self._by_fragment.pop(peer.fragment, None)
        for address in peer.addresses:
            self._by_address.pop(address, None)
        peer.addresses.clear()

    def expired(self, now: float) -> list[IcePeer]:
        """The peers whose consent has expired."""
        return [peer for peer in self._by_fragment.values() if now - peer.consent_at > CONSENT_SECONDS]

    def handle(self, data: bytes, address: bytes, now: float) -> None:
        """Take one datagram. Its first octet says what it is (RFC 7983 section 7)."""
        if not data or len(data) > MAX_PACKET:
            self.drops["size"] += 1
            return
        first = data[0]
        if first < 4:
            self._on_stun(data, address, now)
        elif 128 <= first < 192:
            self._pass_on(data, address, now, media=True)
        elif 20 <= first < 64:
            self._pass_on(data, address, now, media=False)
        else:
            self.drops["unknown"] += 1

    def _pass_on(self, data: bytes, address: bytes, now: float, *, media: bool) -> None:
        checked = self._by_address.get(address)
        if checked is None:
            self.drops["media-unchecked" if media else "dtls-unchecked"] += 1
        elif media:
            self._on_media(checked, data, address, now)
        else:
            checked.peer.owner.on_dtls(data, now)

    def _on_media(self, checked: CheckedAddress, data: bytes, address: bytes, now: float) -> None:
        peer = checked.peer
        if not peer.owner.on_media(data, now):
            return
        if address == peer.address:
            peer.heard_at = now
        elif checked.nominates and peer.is_silent(now):  # it was nominated before the old address was silent for long
            self._move(checked, address, now)

    def _on_stun(self, data: bytes, address: bytes, now: float) -> None:
        checked = self._by_address.get(address)
        if checked is None or data[stun.HEADER : -stun.TAIL] != checked.body or data[:2] != b"\x00\x01":
            checked = self._check(data, address)
        elif not stun.is_signed(data, checked.peer.password):
            self.drops["stun-signature"] += 1
            return
        if checked is not None:
            self._accept(checked, data, address, now)

    def _check(self, data: bytes, address: bytes) -> CheckedAddress | None:
        """Parse and verify a check that differs from the last one of its address."""
        try:
            message = stun.parse(data)
        except ValueError:
            self.drops["stun-malformed"] += 1
            return None
        receiver, sender = message.fragments
        peer = self._by_fragment.get(receiver)
        if message.kind != stun.REQUEST or stun.CONTROLLED in message.attributes:
            self.drops["stun-kind"] += 1
        elif peer is None or (peer.remote_fragment and sender != peer.remote_fragment):
            self.drops["stun-stranger"] += 1
        elif not stun.is_signed(data, peer.password):
            self.drops["stun-signature"] += 1
        else:
            return CheckedAddress(peer, message, data[stun.HEADER : -stun.TAIL], address)
        return None

    def _accept(self, checked: CheckedAddress, data: bytes, address: bytes, now: float) -> None:
        peer, transaction = checked.peer, data[8 : stun.HEADER]
        if peer.is_replay(transaction) and address not in peer.addresses:
            self.drops["stun-replay"] += 1
            return
        self.checks += 1
        self._remember(checked, address)
        peer.consent_at = now
        if address == peer.address:
            peer.heard_at = now
            peer.priority = checked.priority
        elif (checked.nominates or peer.address is None) and peer.may_move(checked.priority, now):
            self._move(checked, address, now)
        self.port.send(checked.answer(transaction), address)

    def _move(self, checked: CheckedAddress, address: bytes, now: float) -> None:
        peer = checked.peer
        peer.address, peer.heard_at = address, now
        peer.priority = checked.priority if checked.nominates else -1
        peer.owner.on_address(peer, address)

    def _remember(self, checked: CheckedAddress, address: bytes) -> None:
        before = self._by_address.get(address)
        if before is checked:
            return
        peer = checked.peer
        if before is not None and before.peer is not peer:  # a browser came back from the same port
            before.peer.addresses.pop(address, None)
        peer.addresses.pop(address, None)
        if len(peer.addresses) >= MAX_ADDRESSES:
            oldest = next(known for known in peer.addresses if known != peer.address)
            del peer.addresses[oldest]
            self._by_address.pop(oldest, None)
        peer.addresses[address] = self._by_address[address] = checked
