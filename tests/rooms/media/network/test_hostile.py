"""What hostile members and strangers may send: dropped, counted, and all others keep hearing."""

import asyncio
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rooms.media.capture import ogg
from rooms.media.client.peer import PAYLOAD_TYPE, Client
from rooms.media.client.tones import tone_packets
from rooms.media.contract.grant import GrantRefused, read
from rooms.media.network import rtcp, rtp, sdp, stun
from rooms.media.network.ice import IceLite, IcePeer
from rooms.media.network.udp import UdpPort
from rooms.media.sound.jitter import JitterBuffer
from rooms.media.sound.opus import samples_of
from rooms.media.sound.voice import Voice
from tests.rooms.media.conftest import World
from tests.rooms.media.network.test_ice import Browser
from tests.rooms.media.network.test_sdp import OFFER

A = 440.0
TONE = tone_packets(A)


@pytest.fixture
async def sol(world: World) -> Client:
    """A speaker in a Space, connected."""
    world.stand("hana", "sol")
    return await world.join("sol")


async def test_another_payload_type_is_dropped(world: World, sol: Client) -> None:
    sol.send_packet(TONE[0], payload_type=0)
    world.step()
    assert world.peer("sol").drops == {"payload-type": 1}
    assert world.peer("sol").received == 0


@pytest.mark.parametrize("size", [0, 1276, 1340])
async def test_packets_of_a_wrong_size_are_dropped(world: World, sol: Client, size: int) -> None:
    sol.send_packet(bytes(size))
    world.step()
    assert world.peer("sol").drops == {"size": 1}


async def test_more_packets_than_sound_needs_are_dropped(world: World, sol: Client) -> None:
    for _ in range(500):
        sol.tick(world.now)
        sol.send_packet(TONE[0])
        world.engine.read()
    peer = world.peer("sol")
    assert peer.received < 120
    assert peer.drops["rate"] == 500 - peer.received
    world.run(2.0)
    sol.speak(TONE)
    before = peer.received
    world.run(1.0)
    assert peer.received == before + 50


async def test_an_ever_changing_source_is_dropped(world: World, sol: Client) -> None:
    for number in range(20):
        sol._ssrc = 1000 + number
        sol.send_packet(TONE[0])
    world.step()
    assert world.peer("sol").drops["ssrc"] == 17
    assert world.peer("sol").received == 3


async def test_packets_that_are_not_encrypted_or_doubled_are_dropped(world: World, sol: Client) -> None:
    sol.send_raw(rtp.build(rtp.RtpPacket(PAYLOAD_TYPE, 1, 1, 1, TONE[0])))
    sol.send_raw(b"\x80\xc8" + bytes(40))
    world.step()
    assert world.peer("sol").drops == {"srtp": 2}
    outgoing = sol._session.outgoing
    assert outgoing is not None
    packet = outgoing.protect(rtp.build(rtp.RtpPacket(PAYLOAD_TYPE, 2, 2, 1, TONE[0])))
    sol.send_raw(packet)
    sol.send_raw(packet)
    world.step()
    assert world.peer("sol").drops == {"srtp": 3}
    assert world.peer("sol").received == 1


async def test_dtls_garbage_after_the_handshake_harms_no_peer(world: World, sol: Client) -> None:
    for _ in range(50):
        sol.send_raw(b"\x17\xfe\xfd" + os.urandom(60))
        sol.send_raw(b"\x15\xfe\xfd" + bytes(8) + b"\x00\x02\x02\x28")  # an alert that is not encrypted
    world.engine.read()
    await asyncio.sleep(0)
    sol.speak(TONE)
    world.run(1.0)
    assert world.peer("sol").received == 50


async def test_a_flood_of_strangers_does_not_reach_the_sound(world: World, sol: Client) -> None:
    lior = await world.join("lior")
    sol.speak(TONE)
    stranger = UdpPort("127.0.0.1")
    kinds = [b"\x16\xfe\xff", b"\x80\x6f", b"\x00\x01\x00\x00\x21\x12\xa4\x42", b"\x45"]
    for _ in range(50):
        for count in range(40):
            stranger.send(kinds[count % 4] + os.urandom(60), stranger.pack("127.0.0.1", world.port.port))
        world.step()
    stranger.close()
    assert sum(world.engine.ice.drops.values()) == 2000
    assert lior.received.packets == 50
    assert lior.received.lost == 0
    assert world.peer("sol").received == 50


# Whatever comes, no exception leaves the handler. The long counts are run by `make proof`.
few = settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
many = settings(max_examples=50_000, deadline=None, suppress_health_check=list(HealthCheck))


def feed_ice(data: bytes) -> None:
    port = UdpPort("127.0.0.1")
    try:
        ice, browser = IceLite(port), Browser()
        peer = IcePeer(browser, 0.0)
        ice.add(peer)
        ice.handle(data, port.pack("127.0.0.1", port.port), 1.0)
        message = stun.build(stun.REQUEST, bytes(12), data[: len(data) // 4 * 4], peer.password)
        ice.handle(message, port.pack("127.0.0.1", port.port), 1.0)
        assert browser.moves == []
    finally:
        port.close()


def reports(data: bytes) -> None:
    rtcp.read(data, 1, 0.0)


def feed_readers(data: bytes) -> None:
    for reader, error in (
        (rtp.parse, ValueError),
        (reports, ValueError),
        (stun.parse, ValueError),
        (ogg.read, ogg.OggError),
    ):
        try:
            reader(data)
        except error:
            continue
    samples_of(data)
    assert isinstance(rtp.is_rtcp(data), bool)


def feed_text(text: str) -> None:
    with pytest.raises(GrantRefused):
        read("secret", text, 0.0)
    for offer in (text, OFFER + text, OFFER.replace("111", text), OFFER.replace("sha-256", text)):
        try:
            sdp.parse_offer(offer)
        except sdp.BadSdp:
            continue


Arrival = tuple[int, int, bytes, int]


def feed_voice(arrivals: list[Arrival]) -> None:
    voice, now = Voice(), 10.0
    for sequence, timestamp, payload, wait in arrivals:
        voice.jitter.insert(sequence, timestamp, payload, now)
        for _ in range(wait):
            now += 0.02
            sound = voice.pull(now)
            assert sound is None or len(sound) == 960
    assert len(voice.jitter._held) <= 64


almost_stun = st.binary(max_size=200).map(lambda tail: b"\x00\x01\x00\x20\x21\x12\xa4\x42" + tail)
almost_rtcp = st.builds(
    lambda kind, count, body: bytes([0x80 | count, kind, 0, len(body)]) + body * 4,
    st.integers(200, 207),
    st.integers(0, 31),
    st.binary(max_size=60),
)
datagrams = st.binary(max_size=1600) | almost_stun | almost_rtcp
payloads = st.binary(max_size=80) | st.sampled_from(TONE)
streams = st.lists(
    st.tuples(st.integers(0, 65_535), st.integers(0, 2**32 - 1) | st.integers(0, 20_000), payloads, st.integers(0, 4)),
    max_size=40,
)


@few
@given(datagrams)
def test_any_datagram(data: bytes) -> None:
    feed_ice(data)
    feed_readers(data)


@few
@given(st.text(max_size=300))
def test_any_text(text: str) -> None:
    feed_text(text)


@few
@given(streams)
def test_any_stream(arrivals: list[Arrival]) -> None:
    feed_voice(arrivals)


@pytest.mark.proof
@many
@given(datagrams)
def test_many_datagrams(data: bytes) -> None:
    feed_ice(data)
    feed_readers(data)


@pytest.mark.proof
@many
@given(st.text(max_size=300))
def test_many_texts(text: str) -> None:
    feed_text(text)


@pytest.mark.proof
@many
@given(streams)
def test_many_streams(arrivals: list[Arrival]) -> None:
    feed_voice(arrivals)


def test_a_jitter_buffer_holds_no_more_than_it_may() -> None:
    buffer = JitterBuffer()
    for number in range(1000):
        buffer.insert(number, number * 10, TONE[0], 1.0)
    assert len(buffer._held) <= 64
