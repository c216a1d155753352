"""What a listener costs, beside Janus and beside the floor: `python -m bench.listeners [--quick]`. Last line: JSON.

Three speakers talk all the time at 48 kHz. Percent of a core per listener, the cost of the room without listeners taken
off. The floor is `srtp_protect` and `sendmmsg` in Python over the same packets, alone in a process, in the same run.
"""

import argparse
import asyncio
import json

from bench.rig import machine, measure, network, sound
from bench.rig.crowd import Crowd
from bench.rig.janus import PEER, Janus
from bench.rig.node import GROUP_OF_20_MS, GROUP_OF_60_MS, MediaNode

SPEAKERS = 3
AUDIOBRIDGE_LISTENERS, STREAMING_LISTENERS = 50, 200
EVENT_LOOPS = 1
PROBE_SECONDS = 2.0

Voices = list[list[bytes]]


async def node(voices: Voices, listeners: int, seconds: float) -> measure.Cost:
    """Measure our node with every listener in the group of 20 ms."""
    async with MediaNode(**GROUP_OF_20_MS) as server, Crowd() as crowd:
        room = server.open_space(len(voices))
        await measure.talking(crowd, room.speak, voices)
        return await measure.cost(server.pid, crowd, room.listen, listeners, seconds)


async def node_60(voices: Voices, listeners: int, seconds: float) -> measure.Cost | None:
    """Ask the node for the group of 60 ms and measure it; None where what arrives is not 60 ms long."""
    async with MediaNode(**GROUP_OF_60_MS) as server, Crowd() as crowd:
        room = server.open_space(len(voices))
        await measure.talking(crowd, room.speak, voices)
        async with Crowd() as probe:
            await probe.listen(room.listen, 1)
            await asyncio.sleep(PROBE_SECONDS)
            if 60 not in probe.heard().lengths:
                return None
        return await measure.cost(server.pid, crowd, room.listen, listeners, seconds)


async def audiobridge(voices: Voices, listeners: int, seconds: float) -> measure.Cost:
    """Measure Janus with an AudioBridge room: an encoder for each participant."""
    async with Janus() as janus, Crowd(**PEER) as crowd:
        bridge = await janus.room()
        await measure.talking(crowd, bridge.speak, voices)
        return await measure.cost(janus.pid, crowd, bridge.listen, listeners, seconds)


async def streaming(voices: Voices, listeners: int, seconds: float) -> measure.Cost:
    """Measure Janus at its best: a room's mix forwarded to a mountpoint, all peers on one event loop."""
    async with Janus(event_loops=EVENT_LOOPS) as janus, Crowd(**PEER) as crowd:
        bridge = await janus.room()
        mountpoint = await bridge.forward()
        await measure.talking(crowd, bridge.speak, voices)
        return await measure.cost(janus.pid, crowd, mountpoint.listen, listeners, seconds)


def ratio(other: float, ours: float | None) -> float | None:
    """How many times more the other one costs."""
    return round(other / ours, 2) if ours else None


async def compare(counts: list[int], seconds: float) -> None:
    """Measure everything, and say it."""
    machine.need_program("janus")
    network.enter()
    voices = sound.voices(SPEAKERS)
    for count in counts:
        at_20 = await node(voices, count, seconds)
        machine.say(f"Spaces, {count} listeners, packets of 20 ms: {at_20}")
        at_60 = await node_60(voices, count, seconds)
        machine.say(f"Spaces, {count} listeners, packets of 60 ms: {at_60 or 'no figure, the node sent none'}")
    floor = await measure.floor(at_20.hearing.payloads, counts[-1], seconds)
    machine.say(f"Floor, {counts[-1]} listeners: {floor:.4f} % of a core per listener")
    bridge = await audiobridge(voices, AUDIOBRIDGE_LISTENERS, seconds)
    machine.say(f"Janus AudioBridge: {bridge}")
    stream = await streaming(voices, STREAMING_LISTENERS, seconds)
    machine.say(f"Janus Streaming, event_loops = {EVENT_LOOPS}: {stream}")
    print(json.dumps(figures(at_20, at_60, bridge.per_listener, stream.per_listener, floor)))


def figures(
    at_20: measure.Cost, at_60: measure.Cost | None, audiobridge_pct: float, streaming_pct: float, floor_pct: float
) -> dict[str, object]:
    """Return the last line; what was not measured is None."""
    ours, ours_60 = at_20.per_listener, at_60.per_listener if at_60 else None
    return {
        "bench": "listeners",
        "listeners": at_20.listeners,
        "cpu_pct_20": round(ours, 4),
        "cpu_pct_60": round(ours_60, 4) if ours_60 else None,
        "audiobridge_pct": round(audiobridge_pct, 4),
        "streaming_pct": round(streaming_pct, 4),
        "floor_pct": round(floor_pct, 4),
        "ratio_audiobridge": ratio(audiobridge_pct, ours),
        "ratio_streaming_20": ratio(streaming_pct, ours),
        "ratio_streaming_60": ratio(streaming_pct, ours_60),
        "ratio_floor": ratio(ours, floor_pct),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="200 listeners only, 8 s for each measurement")
    parser.add_argument("--listeners", type=int, help="so many listeners only")
    parser.add_argument("--seconds", type=float, help="of each measurement (20, with --quick 8)")
    chosen = parser.parse_args()
    counts = [chosen.listeners] if chosen.listeners else [200] if chosen.quick else [200, 1000]
    machine.run(lambda: compare(counts, chosen.seconds or (8.0 if chosen.quick else 20.0)))


if __name__ == "__main__":
    main()
