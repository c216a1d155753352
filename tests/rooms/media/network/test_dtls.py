"""The sessions of a handshake: the thread that makes them, and what happens meanwhile."""

import asyncio
import threading

import pytest
from pylibsrtp import Policy, Session

from rooms.media.client.peer import Client
from rooms.media.client.tones import tone_packets
from rooms.media.network import dtls
from tests.rooms.media.conftest import SPACE, World, until


async def test_what_encrypts_at_every_tick_is_made_apart_from_the_handshakes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread of its own makes each for one stream: in the memory of handshakes, encrypting would take longer."""
    made: list[tuple[str, int, int]] = []

    def note(policy: Policy) -> Session:
        made.append((threading.current_thread().name, policy.ssrc_type, policy.ssrc_value))
        return Session(policy)

    monkeypatch.setattr(dtls, "Session", note)
    world.stand("hana")
    hana, lior = await world.join("hana"), await world.join("lior")
    hana.speak(tone_packets(440.0))
    world.run(1.0)
    streams = [world.peer(name).out_ssrc for name in ("hana", "lior")]
    assert made == [("srtp_0", Policy.SSRC_SPECIFIC, ssrc) for ssrc in streams]
    assert lior.received.packets == 50
    assert lior.received.malformed == 0


async def test_while_a_session_is_made_its_peer_is_heard_and_a_peer_that_leaves_gets_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def make(policy: Policy) -> Session:
        begun.set()
        assert go_on.wait(10)
        return Session(policy)

    monkeypatch.setattr(dtls, "Session", make)
    world.stand("hana")
    lior = Client(clock=lambda: world.now)
    lior.start()
    world.clients.append(lior)
    lior.accept(world.engine.join(SPACE, world.grant("lior"), lior.offer()))
    await until(begun.is_set)
    await lior.connected()
    lior.send_packet(b"x")
    await until(lambda: world.peer("lior").received)
    assert world.engine.leave(SPACE, "lior")
    go_on.set()
    await asyncio.get_running_loop().run_in_executor(dtls.srtp_thread, int)  # after it
    world.run(0.1)
    assert len(world.engine.fanout) == 0
    assert world.states == [("lior", "gone")]
