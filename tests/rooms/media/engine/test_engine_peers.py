"""Who may join, who is refused, who is dropped, and that nothing is left of them."""

import asyncio
import gc
import threading
from pathlib import Path

import pytest

from rooms.media.admission import Admission
from rooms.media.client.tones import tone_packets
from rooms.media.engine import Refused
from rooms.media.network.peer import Peer
from rooms.media.sound.jitter import JitterBuffer
from rooms.media.units import FRAME
from tests.rig.sound.measures import strength
from tests.rooms.media.conftest import SPACE, World, until

A = 440.0


async def test_removed_peer_is_dropped_and_stays_out(world: World) -> None:
    world.stand("hana")
    old_grant = world.grant("dee")
    dee = await world.join("dee", old_grant)
    world.run(0.2)
    world.stand("hana", removed=("dee",))
    received = dee.received.packets
    await until(dee.gone.is_set)
    world.run(0.5)
    assert dee.received.packets == received
    with pytest.raises(Refused, match="removed") as refusal:
        world.engine.join(SPACE, old_grant, dee.offer())
    assert refusal.value.code == "refused"
    assert world.engine.peers == 0
    assert ("dee", "gone") in world.states


async def test_end_of_a_space_drops_all_peers(world: World) -> None:
    world.stand("hana")
    hana = await world.join("hana")
    world.stand("hana", ended=True)
    await until(hana.gone.is_set)
    assert world.engine.spaces == {}
    assert len(world.engine.fanout) == 0
    with pytest.raises(Refused) as refusal:
        world.engine.join(SPACE, world.grant("hana"), hana.offer())
    assert refusal.value.code == "no_space"


async def test_a_second_connection_replaces_the_first(world: World) -> None:
    world.stand("hana")
    first = await world.join("hana")
    second = await world.join("hana")
    await until(first.gone.is_set)
    world.run(0.2)
    assert second.received.packets == 10
    assert world.engine.peers == 1
    assert ("hana", "gone") not in world.states


async def test_rows_stay_right_when_a_peer_leaves(world: World) -> None:
    world.stand("hana")
    hana, sol, lior = [await world.join(name) for name in ("hana", "sol", "lior")]
    hana.speak(tone_packets(A))
    world.run(1.0)
    world.engine.leave(SPACE, "sol")
    world.run(1.0)
    assert lior.received.lost == 0
    assert lior.received.packets == 100
    assert strength(lior.received.pcm(0.5), A) > 0.1
    assert sol.received.packets == 50


@pytest.mark.parametrize(
    ("space", "age", "reason"),
    [(SPACE, 31.0, "expired"), ("another", 0.0, "another Space")],
)
async def test_grant_that_does_not_fit_is_refused(world: World, space: str, age: float, reason: str) -> None:
    world.stand("hana")
    with pytest.raises(Refused, match=reason) as refusal:
        world.engine.join(SPACE, world.grant("dee", space, age), "v=0")
    assert refusal.value.code == "refused"


async def test_bad_offer_leaves_no_peer(world: World) -> None:
    world.stand("hana")
    with pytest.raises(Refused) as refusal:
        world.engine.join(SPACE, world.grant("hana"), "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n")
    assert refusal.value.code == "bad_sdp"
    assert world.engine.peers == 0


async def test_full_node_refuses(world: World) -> None:
    world.stand("hana")
    world.engine.admission = Admission(world.engine.settings.most_load, capacity=1)
    hana = await world.join("hana")
    with pytest.raises(Refused) as refusal:
        world.engine.join(SPACE, world.grant("lior"), hana.offer())
    assert refusal.value.code == "full"


async def test_peer_that_vanishes_is_gone_after_thirty_seconds(world: World) -> None:
    world.stand("hana")
    hana, lior = await world.join("hana"), await world.join("lior")
    lior.vanish()
    world.run(29.0)
    assert "lior" in world.engine.spaces[SPACE].peers
    world.run(3.0)
    assert "lior" not in world.engine.spaces[SPACE].peers
    assert hana.received.lost == 0
    assert ("lior", "gone") in world.states


async def test_a_space_without_peers_is_forgotten_and_comes_back_with_its_standing(world: World) -> None:
    standing = world.stand("hana")
    await world.join("hana")
    world.run(70.0)
    assert SPACE in world.engine.spaces
    world.engine.leave(SPACE, "hana")
    world.run(62.0)
    assert world.engine.spaces == {}
    assert world.engine.apply(standing)


async def come_and_go(world: World, rounds: int) -> None:
    """Let peers join and leave in every way there is."""
    for number in range(rounds):
        guest = await world.join("dee", decode=False)
        world.run(0.04)
        if number % 3 == 0:
            world.engine.leave(SPACE, "dee")
        elif number % 3 == 1:
            await guest.close()
            await until(lambda: world.engine.peers == 1)
    world.engine.leave(SPACE, "dee")
    for client in world.clients[1:]:
        await client.close()
    del world.clients[1:]
    await until(lambda: not world.engine._closing)
    gc.collect()


def held(world: World) -> tuple[int, ...]:
    """The numbers of all things that the engine keeps for peers."""
    engine = world.engine
    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    peers = sum(type(thing) is Peer for thing in gc.get_objects())
    addresses, tasks = len(engine.ice._by_address), len(asyncio.all_tasks())
    return engine.peers, len(engine.fanout), addresses, peers, descriptors, tasks, threading.active_count()


@pytest.mark.parametrize("rounds", [30, pytest.param(2000, marks=pytest.mark.proof)])
async def test_peers_that_came_and_went_leave_nothing_behind(world: World, rounds: int) -> None:
    world.stand("hana", "dee")
    await world.join("hana")
    await come_and_go(world, 3)
    before = held(world)
    await come_and_go(world, rounds)
    assert held(world) == before


async def test_incoming_streams_roll_over_again_and_again(world: World) -> None:
    """Sequence numbers, timestamps and SRTP's rollover counter. The packet in which they wrap is lost."""
    world.stand("hana")
    hana, lior = await world.join("hana"), await world.join("lior")
    hana._timestamp = 2**32 - 22 * FRAME
    for turn in range(1, 4):
        for skipped_to in (5_000, 30_000, 60_000, 65_514):  # by less than half a round, so that SRTP counts on
            hana._sequence = skipped_to
            hana.speak(tone_packets(A))
            world.step()
        world.run(0.2)
        before = voice_of(world, "hana").lost
        world.run(0.2)
        assert hana._sequence == 65_535
        hana.speak(())
        world.step()
        hana._sequence = 0
        hana.speak(tone_packets(A))
        world.run(0.4)
        peer = world.peer("hana")
        assert (peer.drops, peer.received) == ({}, hana.sent), f"in turn {turn}"
        assert peer.source is not None
        assert peer.source.expected - peer.source.received == voice_of(world, "hana").lost - before == 1
        assert strength(lior.received.pcm(0.4), A) > 0.1


def voice_of(world: World, name: str) -> JitterBuffer:
    voice = world.engine.spaces[SPACE]._speakers[name].voice
    assert voice is not None
    return voice.jitter
