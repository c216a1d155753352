"""OWASP ASVS 5.0, chapter V17 (WebRTC): one test for each item of V17.2, by its number.

V17.2.1, the key of the certificate, is in test_node.py; V17.1, TURN, is in tests/rooms/turn/test_asvs_v17.py; V17.3,
signalling, is in tests/rooms/test_asvs_v17.py.
"""

import asyncio
import os
from collections.abc import Sequence
from typing import Any

import pytest
from OpenSSL import SSL

from rooms.media.capture import ogg
from rooms.media.client.peer import PAYLOAD_TYPE, Client
from rooms.media.client.tones import tone_packets
from rooms.media.network import rtp
from rooms.media.network.dtls import CIPHERS, Certificate
from rooms.media.network.udp import UdpPort
from tests.rig.sound.measures import loudest_frequency, strength
from tests.rooms.media.conftest import SPACE, World, until

TONE_HZ = 440.0
TONE = tone_packets(TONE_HZ)
FLOOD_HZ = 1000.0
FLOOD = tone_packets(FLOOD_HZ)
CLIENT_HELLO = b"\x16\xfe\xff" + bytes(8) + b"\x00\x3e\x01\x00\x00\x32" + bytes(50)


class Room:
    """sol speaks, lior listens; `hears_on` lets a second pass and listens to what lior got in it."""

    def __init__(self, world: World, sol: Client, lior: Client) -> None:
        self.world, self.sol, self.lior = world, sol, lior

    def faintest(self, seconds: float) -> float:
        """How strong sol's tone was in the last seconds for lior, in the worst 100 ms."""
        sound = self.lior.received.pcm(seconds)
        return min(strength(sound[start : start + 4800], TONE_HZ) for start in range(0, len(sound) - 4799, 4800))

    def hears_on(self) -> None:
        before = self.lior.received.packets
        self.world.run(1.0)
        assert self.lior.received.packets - before == 50
        assert self.lior.received.lost == 0
        assert loudest_frequency(self.lior.received.pcm(0.5)) == pytest.approx(TONE_HZ, abs=4)


@pytest.fixture
async def room(world: World) -> Room:
    world.stand("sol")
    sol, lior = await world.join("sol"), await world.join("lior")
    sol.speak(TONE)
    world.run(0.5)
    return Room(world, sol, lior)


class Weak(Certificate):
    """A browser that offers only these cipher suites, these profiles, this version of DTLS."""

    ciphers, profiles, newest = b"", b"SRTP_AEAD_AES_128_GCM", 0

    def _create_ssl_context(self, srtp_profiles: Sequence[Any]) -> SSL.Context:
        context = super()._create_ssl_context(list(srtp_profiles))
        context.set_cipher_list(self.ciphers or CIPHERS)
        context.set_tlsext_use_srtp(self.profiles)
        if self.newest:
            context.set_min_proto_version(self.newest)
            context.set_max_proto_version(self.newest)
        return context


DTLS_1_0 = 0xFEFF


@pytest.mark.parametrize(
    ("ciphers", "profiles", "newest", "connects"),
    [
        (b"", b"SRTP_AEAD_AES_128_GCM", 0, True),
        (b"", b"SRTP_AEAD_AES_256_GCM", 0, True),
        (b"", b"SRTP_AES128_CM_SHA1_80", 0, True),
        (b"", b"SRTP_AES128_CM_SHA1_32", 0, False),
        (b"ECDHE-ECDSA-AES128-SHA", b"SRTP_AEAD_AES_128_GCM", 0, False),
        (b"ECDHE-ECDSA-NULL-SHA:@SECLEVEL=0", b"SRTP_AEAD_AES_128_GCM", 0, False),
        (b"ALL:@SECLEVEL=0", b"SRTP_AEAD_AES_128_GCM", DTLS_1_0, False),
    ],
)
async def test_v17_2_2_only_approved_ciphers_and_profiles_are_agreed_on(
    world: World, monkeypatch: pytest.MonkeyPatch, ciphers: bytes, profiles: bytes, newest: int, connects: bool
) -> None:
    monkeypatch.setattr(Weak, "ciphers", ciphers)
    monkeypatch.setattr(Weak, "profiles", profiles)
    monkeypatch.setattr(Weak, "newest", newest)
    world.stand("sol")
    browser = Client(clock=lambda: world.now, certificate=Weak.generateCertificate())
    world.clients.append(browser)
    browser.start()
    browser.accept(world.engine.join(SPACE, world.grant("sol"), browser.offer()))
    if connects:
        await browser.connected()
        await until(lambda: world.peer("sol").connected)
    else:
        await until(lambda: world.engine.peers == 0)


async def test_v17_2_3_sound_without_a_valid_signature_is_neither_heard_nor_costly(room: Room) -> None:
    world, peer = room.world, room.world.peer("sol")
    outgoing = room.sol._session.outgoing
    assert outgoing is not None
    for number in range(50):
        packet = rtp.RtpPacket(PAYLOAD_TYPE, 9000 + number, number * 960, peer.ssrc or 0, tone_packets(1500.0)[0])
        room.sol.send_raw(rtp.build(packet))  # in the clear
        room.sol.send_raw(rtp.build(packet) + os.urandom(16))  # with a tag that was guessed
        world.step()
    assert peer.drops["srtp"] + peer.drops["rate"] == 100
    room.hears_on()


@pytest.mark.parametrize("is_known", [True, False], ids=["the SSRC of the voice", "an SSRC per packet"])
async def test_v17_2_3_forged_packets_of_a_speaker_do_not_silence_the_speaker(world: World, is_known: bool) -> None:
    """From the speaker's own address, twenty packets for each of the speaker's, from before the first one on."""
    world.stand("sol")
    sol, lior = await world.join("sol"), await world.join("lior")
    for number in range(100):
        for _ in range(20):
            ssrc = sol._ssrc if is_known else int.from_bytes(os.urandom(4))
            forged = rtp.RtpPacket(PAYLOAD_TYPE, 9000 + number, number * 960, ssrc, os.urandom(60))
            sol.send_raw(rtp.build(forged))
        if number == 25:
            sol.speak(TONE)
        world.step()
    peer = world.peer("sol")
    assert peer.received == 75
    assert peer.drops == {"srtp": 2000}
    assert loudest_frequency(lior.received.pcm(0.5)) == pytest.approx(TONE_HZ, abs=4)


async def test_v17_2_4_the_sound_goes_on_among_malformed_packets(room: Room) -> None:
    outgoing = room.sol._session.outgoing
    assert outgoing is not None
    for length in range(1, 60):
        room.sol.send_raw(b"\x80" + os.urandom(length))
        room.sol.send_raw(b"\xbf\xef" + os.urandom(length))  # extension, padding, fifteen sources that are not there
        room.world.step()
    assert sum(room.world.peer("sol").drops.values()) == 118
    room.hears_on()


async def test_v17_2_5_a_speaker_who_floods_harms_no_one_else(room: Room) -> None:
    world = room.world
    before = room.faintest(0.3)
    world.stand("sol", "hana")
    hana = await world.join("hana")
    for _ in range(50):
        for _ in range(40):
            hana.send_packet(FLOOD[0])
        world.step()
    peer = world.peer("hana")
    assert peer.received + peer.drops["rate"] == 2000
    assert peer.received < 400
    during = room.faintest(0.9)
    print(f"sol at {before:.3f} before the flood, at {during:.3f} or more in it")
    assert strength(room.lior.received.pcm(0.9), FLOOD_HZ) > 0.02, "hana may be heard, too"
    assert during > 0.6 * before, "a little less: both are brought to the same loudness"
    hana.speak(())
    world.run(1.0)
    room.hears_on()


async def test_v17_2_6_a_client_hello_from_an_address_without_a_check_changes_nothing(world: World) -> None:
    """The race: a stranger's ClientHello arrives between the answer and the browser's own."""
    world.stand("sol")
    stranger = UdpPort("127.0.0.1")
    node = stranger.pack("127.0.0.1", world.port.port)
    browser = Client(decode=True, clock=lambda: world.now)
    world.clients.append(browser)
    browser.start()
    answer = world.engine.join(SPACE, world.grant("sol"), browser.offer())
    for _ in range(20):
        stranger.send(CLIENT_HELLO, node)
    world.engine.read()
    await asyncio.sleep(0)
    assert world.engine.ice.drops["dtls-unchecked"] == 20
    assert stranger.receive() == []
    browser.accept(answer)
    while not browser._ready.is_set():
        stranger.send(CLIENT_HELLO, node)
        await asyncio.sleep(0.001)
    await until(lambda: world.peer("sol").connected)
    lior = await world.join("lior")
    browser.speak(TONE)
    world.run(1.0)
    assert loudest_frequency(lior.received.pcm(0.5)) == pytest.approx(TONE_HZ, abs=4)
    assert stranger.receive() == []
    stranger.close()


async def test_v17_2_7_the_recording_goes_on_during_a_flood(room: Room) -> None:
    world = room.world
    world.stand("sol", "hana")
    hana = await world.join("hana")
    started = len(world.chunks)
    for _ in range(300):
        for _ in range(20):
            hana.send_packet(TONE[0])
        world.step()
    world.engine.close(SPACE)
    chunks = [chunk for chunk in world.chunks[started:] if chunk.participant == "sol"]
    packets = sum(len(ogg.read(chunk.data).packets) for chunk in chunks)
    assert packets >= 300
    of_the_flood = [chunk for chunk in world.chunks if chunk.participant == "hana"]
    assert sum(len(chunk.data) for chunk in of_the_flood) < 4 * sum(len(chunk.data) for chunk in chunks)


async def test_v17_2_8_a_handshake_with_another_certificate_than_offered_is_refused(world: World) -> None:
    world.stand("dee")
    honest, thief = Client(clock=lambda: world.now), Client(clock=lambda: world.now)
    world.clients += [honest, thief]
    offer = honest.offer().replace(honest._fragment, thief._fragment)
    fingerprint = next(line for line in offer.split("\r\n") if line.startswith("a=fingerprint"))
    answer = world.engine.join(
        SPACE, world.grant("dee"), offer.replace(fingerprint, "a=fingerprint:sha-256 " + ":".join(["AB"] * 32))
    )
    thief.start()
    thief.accept(answer)
    await until(lambda: world.engine.peers == 0)
    world.run(0.5)
    assert thief.received.packets == 0
