"""What a listener costs, next to Janus and the floor: `python -m bench.listeners [--quick]`. Last line: JSON.

Three speakers talk all the time at 48 kHz. The figures are percent of a core per listener, without the cost of the room
itself. The floor is `srtp_protect` and `sendmmsg` in Python over the same packets, alone in a process, in the same run.
Our node, the floor and Streaming start again in each of three rounds, and the median counts: Streaming may cost twice
as much in one start as in another.
"""

import argparse
import asyncio
import json
import statistics
from collections.abc import Iterable
from typing import NamedTuple

from bench.rig import machine, measure, network
from bench.rig.crowd import Crowd
from bench.rig.janus import PEER, Janus
from bench.rig.node import GROUP_OF_20_MS, GROUP_OF_60_MS, MediaNode
from bench.rig.sound import samples

SPEAKERS = 3
AUDIOBRIDGE_LISTENERS, STREAMING_LISTENERS = 50, 200
EVENT_LOOPS = 1
PROBE_SECONDS = 2.0
ROUNDS = 3

Voices = list[list[bytes]]


async def node(voices: Voices, listeners: int, seconds: float) -> measure.Cost:
    """Measure our node with every listener in the group of 20 ms."""
    async with MediaNode(**GROUP_OF_20_MS) as server, Crowd() as crowd:
        room = server.open_space(len(voices))
        await measure.talking(crowd, room.speak, voices)
        return await measure.cost(server.pid, crowd, room.listen, listeners, seconds)


async def node_60(voices: Voices, listeners: int, seconds: float) -> measure.Cost | None:
    """Measure our node with every listener in the group of 60 ms. None if the packets are not 60 ms long."""
    async with MediaNode(**GROUP_OF_60_MS) as server, Crowd() as crowd:
        room = server.open_space(len(voices))
        await measure.talking(crowd, room.speak, voices)
        async with Crowd() as probe:
            await probe.listen(room.listen, 1)
            await asyncio.sleep(PROBE_SECONDS)
            if 60 not in probe.hearing().lengths:
                return None
        return await measure.cost(server.pid, crowd, room.listen, listeners, seconds)


async def audiobridge(voices: Voices, listeners: int, seconds: float) -> measure.Cost:
    """Measure Janus with an AudioBridge room: an encoder per participant."""
    async with Janus() as janus, Crowd(**PEER) as crowd:
        bridge = await janus.room()
        await measure.talking(crowd, bridge.speak, voices)
        return await measure.cost(janus.pid, crowd, bridge.listen, listeners, seconds)


async def streaming(voices: Voices, listeners: int, seconds: float) -> measure.Cost:
    """Measure Janus at its best: the mix of a room forwarded to a mountpoint, all peers on one event loop."""
    async with Janus(event_loops=EVENT_LOOPS) as janus, Crowd(**PEER) as crowd:
        bridge = await janus.room()
        mountpoint = await bridge.forward()
        await measure.talking(crowd, bridge.speak, voices)
        return await measure.cost(janus.pid, crowd, mountpoint.listen, listeners, seconds)


class Shares(NamedTuple):
    """Percent of a core per listener, of one start each. `node_60` is None if the node sent no packets of 60 ms."""

    node_20: float
    node_60: float | None
    floor: float
    streaming: float


async def ours(voices: Voices, count: int, seconds: float) -> tuple[measure.Cost, float | None]:
    """Measure our node at 20 ms and at 60 ms, and print the figures."""
    at_20 = await node(voices, count, seconds)
    machine.say(f"Spaces, {count} listeners, packets of 20 ms: {at_20}")
    at_60 = await node_60(voices, count, seconds)
    machine.say(f"Spaces, {count} listeners, packets of 60 ms: {at_60 or 'no figure, the node sent none'}")
    return at_20, at_60.per_listener if at_60 else None


async def one_round(voices: Voices, count: int, seconds: float) -> Shares:
    """Measure our node, the floor and Streaming in direct succession, and print the figures."""
    at_20, at_60 = await ours(voices, count, seconds)
    floor = await measure.floor(at_20.hearing.payloads, count, seconds)
    machine.say(f"Floor, {count} listeners: {floor:.4f} % of a core per listener")
    stream = await streaming(voices, STREAMING_LISTENERS, seconds)
    machine.say(f"Janus Streaming, event_loops = {EVENT_LOOPS}: {stream}")
    return Shares(at_20.per_listener, at_60, floor, stream.per_listener)


async def compare(counts: list[int], seconds: float, rounds: int) -> None:
    """Measure everything, and print the figures. The last line has the medians of the last count."""
    machine.need_program("janus")
    network.enter()
    voices = samples.voices(SPEAKERS)
    for count in counts[:-1]:
        await ours(voices, count, seconds)
    shares = [await one_round(voices, counts[-1], seconds) for _ in range(rounds)]
    bridge = await audiobridge(voices, AUDIOBRIDGE_LISTENERS, seconds)
    machine.say(f"Janus AudioBridge: {bridge}")
    print(json.dumps(figures(counts[-1], shares, bridge.per_listener)))


def middle(values: Iterable[float | None]) -> float | None:
    """The median, None if a value is missing."""
    found = list(values)
    known = [value for value in found if value is not None]
    return statistics.median(known) if len(known) == len(found) else None


def figures(count: int, rounds: list[Shares], audiobridge_pct: float) -> dict[str, object]:
    """The figures of the last line, medians of the rounds. None for what was not measured."""
    at_20, at_60, floor, stream = (middle(column) for column in zip(*rounds, strict=True))
    shares = {
        "cpu_pct_20": at_20,
        "cpu_pct_60": at_60,
        "audiobridge_pct": audiobridge_pct,
        "streaming_pct": stream,
        "floor_pct": floor,
    }
    ratios = {
        "ratio_audiobridge": (audiobridge_pct, at_20),
        "ratio_streaming_20": (stream, at_20),
        "ratio_streaming_60": (stream, at_60),
        "ratio_floor": (at_20, floor),
    }
    return (
        {"bench": "listeners", "listeners": count}
        | {name: round(share, 4) if share else None for name, share in shares.items()}
        | {name: round(one / other, 2) if one and other else None for name, (one, other) in ratios.items()}
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="200 listeners only, one round, 8 s per measurement")
    parser.add_argument("--listeners", type=int, help="this number of listeners only")
    parser.add_argument("--seconds", type=float, help="of each measurement (20, with --quick 8)")
    chosen = parser.parse_args()
    counts = [chosen.listeners] if chosen.listeners else [200] if chosen.quick else [200, 1000]
    rounds = 1 if chosen.quick else ROUNDS
    machine.run(lambda: compare(counts, chosen.seconds or (8.0 if chosen.quick else 20.0), rounds))


if __name__ == "__main__":
    main()
