"""Browsers whose address changes: the connection goes on, and strangers cannot take it over."""

import os
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from rooms.media.capture import ogg
from rooms.media.client.peer import CONSENT_SECONDS, PRIORITY, Client
from rooms.media.client.tones import tone_packets
from rooms.media.engine import Refused
from rooms.media.network import stun
from rooms.media.network.dtls import Certificate
from rooms.media.network.ice import CONSENT_SECONDS as CONSENT_ENDS
from rooms.media.network.ice import SILENT_SECONDS
from rooms.media.network.udp import unpack
from tests.rig.sound.measures import strength
from tests.rooms.media.conftest import SPACE, TICK, World, until

A = 440.0
LIMIT_SECONDS = 2.0
NOTICED_SECONDS = 1.25  # after which a page asks for a restart (watch.js)


class Room:
    """sol speaks, lior listens, and `world` passes their time."""

    def __init__(self, world: World, sol: Client, lior: Client) -> None:
        self.world, self.sol, self.lior = world, sol, lior

    def restart(self, client: Client, name: str) -> str:
        """Give a client new ICE credentials. Returns the answer of the node."""
        answer = self.world.engine.restart(SPACE, self.world.grant(name), client.restart())
        client.accept(answer)
        return answer

    def hears(self) -> bool:
        """Let 20 ms pass. Returns whether lior hears sol in them."""
        before = self.lior.received.packets
        self.world.step()
        return self.lior.received.packets > before and strength(self.lior.received.pcm(2 * TICK), A) > 0.1

    def until(self, *, heard: bool) -> float:
        """Seconds of the node's clock until lior hears sol, or does not any more."""
        start = self.world.now
        while self.hears() != heard:
            assert self.world.now - start < 10
        print(f"{'heard' if heard else 'silent'} after {self.world.now - start:.2f} s")
        return self.world.now - start

    def hears_on(self) -> None:
        """Let a second pass, all of which lior hears."""
        before, lost = self.lior.received.packets, self.lior.received.lost
        self.world.run(1.0)
        assert (self.lior.received.packets - before, self.lior.received.lost - lost) == (50, 0)
        assert strength(self.lior.received.pcm(0.5), A) > 0.1


@pytest.fixture
async def room(world: World) -> Room:
    world.stand("sol")
    sol, lior = await world.join("sol"), await world.join("lior")
    sol.speak(tone_packets(A))
    world.run(1.0)
    return Room(world, sol, lior)


def check(client: Client, credentials: tuple[str, str], password: str) -> bytes:
    """A check that nominates, with a transaction of its own."""
    attributes = (
        stun.attribute(stun.USERNAME, ":".join(credentials).encode())
        + stun.attribute(stun.CONTROLLING, bytes(8))
        + stun.attribute(stun.USE_CANDIDATE)
        + stun.attribute(stun.PRIORITY, (PRIORITY + 1).to_bytes(4, "big"))
    )
    return stun.build(stun.REQUEST, os.urandom(12), attributes, password.encode())


def other(world: World, **more: Any) -> Client:
    """A browser without a connection. It is closed with the world."""
    world.clients.append(Client(clock=lambda: world.now, **more))
    return world.clients[-1]


def ways(world: World, name: str) -> tuple[str, int]:
    address = world.peer(name).ice.address
    assert address is not None
    return unpack(address)


# A router forgets its mapping: the same credentials from elsewhere


@pytest.mark.parametrize("name", ["lior", "sol"])
async def test_behind_a_router_that_forgets_the_sound_goes_on_at_the_next_check(room: Room, name: str) -> None:
    client = room.sol if name == "sol" else room.lior
    room.world.run(0.5)
    client.move()
    hole = room.until(heard=False) + room.until(heard=True)
    assert hole <= CONSENT_SECONDS + 0.2
    room.world.run(SILENT_SECONDS)
    assert ways(room.world, name) == ("127.0.0.1", client.port.port)
    room.hears_on()
    assert (room.world.engine.joins, room.world.engine.restarts) == (2, 0)
    room.world.engine.close(SPACE)
    assert {chunk.turn for chunk in room.world.chunks if chunk.participant == "sol"} == {"turn-of-sol"}


# Another network: new credentials, the same connection


@pytest.mark.parametrize("name", ["lior", "sol"])
async def test_after_a_change_of_network_an_ice_restart_brings_the_sound_back(room: Room, name: str) -> None:
    world, client = room.world, room.sol if name == "sol" else room.lior
    address, keys, joins = ways(world, name), world.peer(name).outgoing, world.engine.joins
    client.move("127.0.0.2")
    hole = room.until(heard=False)
    world.run(NOTICED_SECONDS)
    assert not room.hears()
    room.restart(client, name)
    hole += NOTICED_SECONDS + room.until(heard=True)
    assert hole < LIMIT_SECONDS
    assert ways(world, name) == ("127.0.0.2", client.port.port) != address
    room.hears_on()
    assert world.peer(name).outgoing is keys, "no new handshake"
    assert (world.engine.joins, world.engine.restarts) == (joins, 1)
    assert room.lior.received.malformed == 0, "sequence numbers and keys go on"


async def test_the_answer_to_a_restart_has_new_credentials_and_keeps_certificate_and_stream(room: Room) -> None:
    first = room.restart(room.lior, "lior")
    second = room.restart(room.lior, "lior")
    new = set(second.split("\r\n")) - set(first.split("\r\n"))
    assert {re.split("[:-]", line)[0] for line in new} == {"o=", "a=ice", "a=candidate"}
    assert len(new) == 4


async def test_a_speaker_who_restarts_on_a_working_network_leaves_no_gap_in_the_track(room: Room) -> None:
    room.restart(room.sol, "sol")
    room.world.run(2.0)
    room.hears_on()
    room.world.engine.close(SPACE)
    track = [chunk for chunk in room.world.chunks if chunk.participant == "sol"]
    packets = sum(len(ogg.read(chunk.data).packets) for chunk in track)
    assert packets * 20 == sum(chunk.duration_ms for chunk in track)
    assert packets == pytest.approx(room.sol.sent, abs=10), "but for what the jitter buffer still held"


async def test_the_old_credentials_hold_until_the_new_ones_are_checked_and_no_longer(room: Room) -> None:
    world, lior, ice = room.world, room.lior, room.world.engine.ice
    old = lior.fragments, lior._remote["ice-pwd"]
    before = world.peer("lior").ice
    answer = world.engine.restart(SPACE, world.grant("lior"), lior.restart())
    lior.port.send(check(lior, *old), lior._address or b"")
    world.run(0.5)
    assert world.peer("lior").ice is before
    assert ice.drops["stun-stranger"] == 0
    lior.accept(answer)
    world.run(0.1)
    assert world.peer("lior").ice is not before
    thief = other(world)
    thief.port.send(check(thief, *old), thief.port.pack("127.0.0.1", world.port.port))
    world.run(SILENT_SECONDS + 0.5)
    assert ice.drops["stun-stranger"] == 1
    assert ways(world, "lior") == ("127.0.0.1", lior.port.port)
    assert len(ice._by_fragment) == 2


async def test_a_check_of_the_restart_that_was_copied_is_worth_nothing_elsewhere(room: Room) -> None:
    world, lior = room.world, room.lior
    room.restart(lior, "lior")
    world.run(0.1)
    copy = check(lior, lior.fragments, lior._remote["ice-pwd"])
    lior.port.send(copy, lior._address or b"")
    thief = other(world)
    node = thief.port.pack("127.0.0.1", world.port.port)
    world.run(0.1)
    for _ in range(4):
        thief.port.send(copy, node)
        world.run(1.0)
    assert world.engine.ice.drops["stun-replay"] == 4
    assert ways(world, "lior") == ("127.0.0.1", lior.port.port)


async def test_a_restart_that_fails_harms_no_peer_and_is_forgotten(room: Room) -> None:
    world, offers = room.world, other(room.world)
    for _ in range(20):
        world.engine.restart(SPACE, world.grant("lior"), offers.restart())
    assert len(world.engine.ice._by_fragment) == 3, "one at a time"
    room.hears_on()
    world.run(CONSENT_ENDS + 2.0)
    assert len(world.engine.ice._by_fragment) == 2
    room.hears_on()


async def test_a_peer_that_leaves_during_a_restart_leaves_nothing_behind(room: Room) -> None:
    world = room.world
    world.engine.restart(SPACE, world.grant("lior"), room.lior.restart())
    world.engine.leave(SPACE, "lior")
    assert len(world.engine.ice._by_fragment) == 1


# Who is refused


async def test_a_strangers_offer_with_a_copied_fingerprint_is_refused(room: Room) -> None:
    world, fragment = room.world, room.world.peer("lior").ice.fragment
    stolen = room.lior.offer()
    with pytest.raises(Refused, match="not an ICE restart") as refusal:
        world.engine.restart(SPACE, world.grant("dee"), stolen)
    assert refusal.value.code == "no_peer"
    dee = other(world, certificate=Certificate.generateCertificate())
    dee.start()
    dee.accept(world.engine.join(SPACE, world.grant("dee"), dee.offer()))
    await dee.connected()
    with pytest.raises(Refused, match="not an ICE restart"):
        world.engine.restart(SPACE, world.grant("dee"), stolen)
    assert world.peer("lior").ice.fragment == fragment
    assert world.engine.restarts == 0
    room.hears_on()


async def test_a_connection_is_not_restarted_by_an_offer_of_another_certificate(room: Room) -> None:
    stranger = other(room.world, certificate=Certificate.generateCertificate())
    with pytest.raises(Refused) as refusal:
        room.world.engine.restart(SPACE, room.world.grant("lior"), stranger.restart())
    assert refusal.value.code == "no_peer"
    room.hears_on()


@pytest.mark.parametrize("change", [("ice-ufrag:", "ice-ufrag:"), ("a=mid:0", "a=mid:1"), ("111", "112")])
async def test_an_offer_that_is_no_restart_or_changes_more_is_refused(room: Room, change: tuple[str, str]) -> None:
    offer = room.lior.offer() if change[0] == change[1] else room.lior.restart().replace(*change)
    with pytest.raises(Refused) as refusal:
        room.world.engine.restart(SPACE, room.world.grant("lior"), offer)
    assert refusal.value.code == "no_peer"
    room.hears_on()


async def test_without_a_grant_or_after_a_removal_nothing_restarts(room: Room) -> None:
    world, offer = room.world, room.lior.restart()
    permissions = {"another Space": world.grant("lior", "another"), "expired": world.grant("lior", age=31.0)}
    for reason, permission in permissions.items():
        with pytest.raises(Refused, match=reason) as refusal:
            world.engine.restart(SPACE, permission, offer)
        assert refusal.value.code == "refused"
    good = world.grant("lior")
    world.stand("sol", removed=("lior",))
    await until(room.lior.gone.is_set)
    with pytest.raises(Refused, match="removed"):
        world.engine.restart(SPACE, good, offer)
    with pytest.raises(Refused) as refusal:
        world.engine.restart("nowhere", world.grant("lior", "nowhere"), offer)
    assert refusal.value.code == "no_space"


async def test_an_offer_that_is_none_is_refused(room: Room) -> None:
    with pytest.raises(Refused) as refusal:
        room.world.engine.restart(SPACE, room.world.grant("lior"), "v=0")
    assert refusal.value.code == "bad_sdp"


# IPv4 and IPv6 on one port


@pytest.fixture
async def dual() -> AsyncIterator[World]:
    world = World(bind="::", announce=("127.0.0.1", "::1"))
    yield world
    await world.close()


async def test_one_port_takes_both_families_and_a_peer_changes_from_one_to_the_other(dual: World) -> None:
    dual.stand("sol")
    sol, lior = await dual.join("sol", host="::1"), await dual.join("lior")
    sol.speak(tone_packets(A))
    dual.run(1.0)
    room = Room(dual, sol, lior)
    assert ways(dual, "sol") == ("::1", sol.port.port)
    assert ways(dual, "lior") == ("127.0.0.1", lior.port.port)
    room.hears_on()
    for client, name, host in ((lior, "lior", "::1"), (sol, "sol", "127.0.0.1")):
        client.move(host)
        room.restart(client, name)
        assert room.until(heard=True) < 0.5
        assert ways(dual, name) == (host, client.port.port)
    room.hears_on()


async def test_the_answer_names_all_addresses_best_first_with_the_ports_that_browsers_reach() -> None:
    world = World(announce=("[2001:db8::7]:4444", "203.0.113.7", "203.0.113.8:4445"))
    world.stand("sol")
    answer = world.engine.join(SPACE, world.grant("sol"), other(world).offer())
    found = re.findall(r"^a=candidate:\S+ 1 udp (\d+) (\S+) (\d+) typ host\r$", answer, re.MULTILINE)
    own = world.port.port
    named = [("2001:db8::7", 4444), ("203.0.113.7", own), ("203.0.113.8", 4445)]
    assert [(host, int(port)) for _, host, port in found] == named
    assert sorted((int(priority) for priority, _, _ in found), reverse=True) == [int(one[0]) for one in found]
    assert "m=audio 4444 " in answer
    assert "c=IN IP6 2001:db8::7\r\n" in answer
    await world.close()
