"""The rig against a real node in a process of its own: speakers, sinks, listeners who check, a relay between them."""

import pytest

from bench.rig.crowd import Crowd
from bench.rig.node import MediaNode, NodeError
from bench.rig.peers import Listener, TimedPacket
from bench.rig.relay import Network, Relay
from rooms.media.client.tones import tone_packets
from rooms.media.contract.standing import Standing
from tests.rooms.media.conftest import until

LISTENERS = 52


async def test_a_crowd_hears_a_speaker_and_the_lost_packets_are_those_of_the_relay() -> None:
    async with MediaNode() as node, Crowd() as crowd:
        room = node.open_space(1)
        await crowd.speak(room.speak, tone_packets(440.0))
        await crowd.listen(room.listen, LISTENERS)
        assert len(crowd.checkers) == 2
        assert (await node.health()).peers == LISTENERS + 1
        crowd.reset()
        await until(lambda: all(checker.audible > 20 for checker in crowd.checkers))
        hearing = crowd.hearing()
        assert (hearing.broken, hearing.lengths) == (0, {20})

        received: list[TimedPacket] = []
        relay = Relay("127.0.0.1", seed=4)
        listener = await crowd.connect(Listener(received.append, relay=relay), room.listen)
        relay.down.network = Network(loss=0.2)
        await until(lambda: listener.received.lost > 5)
        assert listener.received.lost <= relay.down.counts["lost"]
        assert received[-1].sequence - received[0].sequence + 1 == listener.received.expected

        with pytest.raises(NodeError, match="no_space"):
            await crowd.connect(Listener(received.append), type(room)(node, Standing("another", 1, 0.0), []).listen)
