"""Whatever a member or a stranger sends, no exception leaves the handler, and all keep hearing.

Valid inputs are damaged and go through the handlers of a node. Checks are signed after the damage; RTP and RTCP are
encrypted correctly. The damage follows from its number. Names and passwords are new in each run.
`make proof` tries 200,000 of each kind.
"""

import asyncio
import random
import struct
from collections.abc import Callable
from typing import Any, cast

import pylibsrtp
import pytest
from aiortc.rtp import (
    RtcpByePacket,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSenderInfo,
    RtcpSrPacket,
)

from rooms.media.client.peer import PAYLOAD_TYPE, Client
from rooms.media.client.tones import tone_packets
from rooms.media.network import rtp, sdp, stun
from rooms.media.network.peer import Peer
from rooms.media.sound.jitter import MAX_HELD
from rooms.media.sound.opus import MAX_PAYLOAD
from rooms.media.sound.voice import Voice
from rooms.media.units import FRAME
from tests.rig.sound.measures import strength
from tests.rooms.media.conftest import SPACE, TICK, World, until
from tests.rooms.media.network.test_sdp import ANSWER, OFFER

A = 440.0
TONE = tone_packets(A)
FEW, MANY, AT_ONCE = 1000, 200_000, 500
JOINED_OF = 50  # offers that are understood; one in so many is let in
INTERESTING = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def damaged(chance: random.Random, valid: bytes, other: bytes) -> bytes:
    """The octets after one to four accidents."""
    data = bytearray(valid)
    for _ in range(chance.randint(1, 4)):
        chance.choice(ACCIDENTS)(chance, data, other)
    return bytes(data)


def flip(chance: random.Random, data: bytearray, other: bytes) -> None:
    if data:
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def overwrite(chance: random.Random, data: bytearray, other: bytes) -> None:
    number = chance.choice(INTERESTING).to_bytes(4, "big")[-chance.choice((1, 2, 4)) :]
    place = chance.randint(0, len(data))
    data[place : place + len(number)] = number


def cut(chance: random.Random, data: bytearray, other: bytes) -> None:
    del data[chance.randint(0, len(data)) :]


def lose(chance: random.Random, data: bytearray, other: bytes) -> None:
    start = chance.randint(0, len(data))
    del data[start : start + chance.randint(1, 8)]


def insert(chance: random.Random, data: bytearray, other: bytes) -> None:
    place = chance.randint(0, len(data))
    data[place:place] = chance.randbytes(chance.randint(1, 40))


def splice(chance: random.Random, data: bytearray, other: bytes) -> None:
    data[chance.randint(0, len(data)) :] = other[chance.randint(0, len(other)) :]


ACCIDENTS = (flip, flip, overwrite, overwrite, cut, lose, insert, splice)


def rtp_packets(chance: random.Random, ssrc: int) -> bytes:
    numbers = chance.getrandbits(16), chance.getrandbits(32)
    packet = rtp.build(rtp.RtpPacket(PAYLOAD_TYPE, *numbers, ssrc, chance.choice(TONE)))
    if chance.random() < 0.3:  # with an extension and two contributing sources
        extension = chance.randbytes(8) + b"\xbe\xde" + struct.pack("!H", 1) + chance.randbytes(4)
        packet = bytes([packet[0] | 0x12]) + packet[1:12] + extension + packet[12:]
    return packet


def rtcp_packets(chance: random.Random, ssrc: int, out_ssrc: int) -> bytes:
    block = RtcpReceiverInfo(
        out_ssrc, chance.randrange(256), -chance.randrange(1 << 20), 9, 8, chance.getrandbits(32), 6
    )
    sent = RtcpSenderInfo(chance.getrandbits(64), 1, 2, 3)
    made: tuple[Any, ...] = (
        RtcpRrPacket(ssrc, [block] * chance.randint(0, 3)),
        RtcpSrPacket(ssrc, sent, [block] * chance.randint(0, 3)),
        RtcpByePacket([ssrc]),
        RtcpPsfbPacket(1, ssrc, out_ssrc, chance.randbytes(8)),
        RtcpRtpfbPacket(1, ssrc, out_ssrc, [chance.randrange(1 << 16)]),
    )
    description = b"\x81\xca\x00\x03" + struct.pack("!I", ssrc) + b"\x01\x05abcde\x00"
    return b"".join(chance.sample([*map(bytes, made), description], chance.randint(1, 3)))


class Plain:
    """A member who encrypts correctly and sends arbitrary content."""

    def unprotect(self, data: bytes) -> bytes:
        return data

    unprotect_rtcp = unprotect


class Node:
    """A node with a speaker and a listener. The speaker's packets are taken as if they were decrypted."""

    def __init__(self, world: World, sol: Client, lior: Client) -> None:
        self.world, self.sol, self.lior = world, sol, lior
        self.incoming = self.peer.session.incoming
        self._ticks = 0

    def hears_on(self) -> None:
        """Let the speaker's own packets be heard, as before."""
        self.peer.session.incoming = self.incoming
        self.sol.speak(TONE)
        self.world.run(6.0)
        assert strength(self.lior.received.pcm(0.5), A) > 0.1

    @property
    def peer(self) -> Peer:
        return self.world.peer("sol")

    def feed_stun(self, chance: random.Random) -> None:
        """A check that is damaged, or damaged and then signed with the right password."""
        user = ":".join(self.sol.fragments).encode()
        attributes = (
            stun.attribute(stun.USERNAME, user)
            + stun.attribute(stun.CONTROLLING, chance.randbytes(8))
            + stun.attribute(stun.USE_CANDIDATE)
            + stun.attribute(stun.PRIORITY, chance.randbytes(4))
        )
        password, transaction = self.peer.ice.password, chance.randbytes(12)
        whole = stun.build(stun.REQUEST, transaction, attributes, password)
        if chance.random() < 0.5:
            kind = chance.choice((stun.REQUEST, stun.SUCCESS, stun.FAILURE, chance.getrandbits(14)))
            body = damaged(chance, attributes, whole)
            data = stun.build(kind, transaction, body[: len(body) // 4 * 4], password)
        else:
            data = damaged(chance, whole, attributes)
        address = self.world.port.pack(f"127.0.0.{chance.randint(2, 30)}", chance.randint(1024, 65_535))
        self.world.engine.ice.handle(data, address, self.world.now)

    def feed_rtp(self, chance: random.Random) -> None:
        packet = rtp_packets(chance, self.peer.ssrc or 1)
        self._decrypted(damaged(chance, packet, rtp_packets(chance, 1)))

    def feed_rtcp(self, chance: random.Random) -> None:
        said = rtcp_packets(chance, self.peer.ssrc or 1, self.peer.out_ssrc)
        other = rtcp_packets(chance, 1, self.peer.out_ssrc)
        self._decrypted(damaged(chance, said, other))

    def _decrypted(self, data: bytes) -> None:
        """Pass on what came out of a right encryption, so long after the last one that no limit drops it."""
        self.world.now += 10.0
        for name in ("sol", "lior"):
            self.world.peer(name).ice.consent_at = self.world.now
        self.peer.session.incoming = cast(pylibsrtp.Session, Plain())
        self.peer.on_media(data, self.world.now)
        self._ticks += 1
        if self._ticks % 20 == 0:
            self.world.engine.tick(self.world.now)

    def feed_sdp(self, chance: random.Random) -> None:
        """An offer, of those that may be understood one in JOINED_OF to the end."""
        text = shuffled(chance, OFFER)
        if chance.random() < 0.5:
            text = damaged(chance, text.encode("utf-8", "replace"), OFFER.encode()).decode("utf-8", "replace")
        try:
            sdp.build_answer(sdp.parse_offer(text), ANSWER)
        except sdp.BadSdp:
            return
        if chance.randrange(JOINED_OF) == 0:
            self.world.engine.join(SPACE, self.world.grant("dee"), text)
            self.world.engine.leave(SPACE, "dee")


def shuffled(chance: random.Random, text: str) -> str:
    """A text whose lines are lost, doubled, exchanged and rewritten."""
    lines = text.split("\r\n")
    for _ in range(chance.randint(1, 6)):
        place = chance.randrange(len(lines))
        lines[place : place + 1] = chance.choice(
            (
                [],
                [lines[place]] * chance.choice((2, 2, 50)),
                [chance.choice(lines)],
                [lines[place][: chance.randint(0, len(lines[place]))]],
                [lines[place].replace("1", chance.choice(("", "-1", "9" * 30, "\u0661", "\x00", "%s")))],
                [
                    chance.choice(("a=", "m=audio", "a=rtpmap:", "a=fingerprint:sha-256 ", "\ufeff", ":", "="))
                    + lines[place]
                ],
            )
        ) or [""]
    return "\r\n".join(lines)


class Stream:
    """A voice, what is sent to it, and its clock."""

    def __init__(self) -> None:
        self.voice, self.now = Voice(), 10.0

    def feed(self, chance: random.Random) -> None:
        """Insert a packet that may be anything, of a stream that goes on, and pull now and then."""
        number = round(self.now / TICK)
        sequence, timestamp, payload = number, number * FRAME, chance.choice(TONE)
        if chance.random() < 0.2:
            sequence = chance.choice((chance.getrandbits(16), number - chance.randint(0, 70)))
            timestamp = chance.choice((chance.getrandbits(32), (number - chance.randint(-99, 99)) * FRAME))
        if chance.random() < 0.2:
            payload = damaged(chance, payload, chance.choice(TONE))[:MAX_PAYLOAD]
        late = chance.random() * chance.choice((0.0, 0.01, 0.3))
        self.voice.jitter.insert(sequence & 0xFFFF, timestamp & 0xFFFFFFFF, payload, self.now + late)
        for _ in range(chance.choice((0, 1, 1, 1, 2))):
            self.now += TICK
            sound = self.voice.pull(self.now)
            assert sound is None or len(sound) == FRAME
        assert len(self.voice.jitter._held) <= MAX_HELD


def feed(kind: str, numbers: range, one: Callable[[random.Random], object]) -> None:
    """Feed these inputs. A failure names the number of the input, from which the damage can be made again."""
    for number in numbers:
        try:
            one(random.Random(f"{kind} {number}"))
        except Exception as error:
            raise AssertionError(f"input {number} of {kind}") from error


counts = pytest.mark.parametrize("count", [FEW, pytest.param(MANY, marks=pytest.mark.proof)])


@pytest.fixture
async def node(world: World) -> Node:
    world.stand("sol")
    sol, lior = await world.join("sol"), await world.join("lior")
    sol.speak(TONE)
    world.run(0.5)
    return Node(world, sol, lior)


@counts
@pytest.mark.parametrize("kind", ["stun", "rtp", "rtcp", "sdp"])
async def test_damaged_input_harms_no_peer(node: Node, kind: str, count: int) -> None:
    for start in range(0, count, AT_ONCE):
        feed(kind, range(start, start + AT_ONCE), getattr(node, f"feed_{kind}"))
        await asyncio.sleep(0)
    await until(lambda: not node.world.engine._closing)
    print(kind, count, dict(node.world.engine.all_drops), node.peer.received)
    node.hears_on()


@counts
def test_a_damaged_stream_harms_no_jitter_buffer(count: int) -> None:
    feed("jitter", range(count), Stream().feed)
