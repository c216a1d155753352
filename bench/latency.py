"""How long sound takes, and how evenly it leaves: `python -m bench.latency`. The last line is JSON.

The time from a click in the RTP of a speaker to the same click in the RTP of a listener, in ten Spaces at once whose
speakers' clocks are 2 ms apart. The same through Janus's AudioBridge. Then listeners join one Space until the node uses
70 % of its core: how far its packets are from an even 20 ms, by the kernel's time stamps.
"""

import argparse
import asyncio
import json
from collections.abc import Sequence

import numpy as np

from bench.rig import machine, measure, network
from bench.rig.crowd import Crowd, Join
from bench.rig.janus import PEER, Janus
from bench.rig.node import CAPACITY, GROUP_OF_20_MS, MediaNode
from bench.rig.peers import Listener, TimedPacket
from bench.rig.sound import samples
from bench.rig.sound.clicks import Clicker
from rooms.media.clock import TICK_SECONDS

PHASES = 10
SETTLE_SECONDS, SECONDS = 4.0, 20.0
BUSY_PCT = 70.0
SAMPLE = 300  # listeners whose cost gives the number of all others
NEARLY = 0.05  # a missing share of listeners that is close enough
TIMED = 5  # listeners whose packets are timed, spread among all others


async def click(crowd: Crowd, joins: Sequence[tuple[Join, Join]], seconds: float) -> list[float]:
    """The seconds that clicks take. Rooms are pairs of functions to join as speaker and as listener."""
    pairs: list[tuple[Clicker, list[TimedPacket]]] = []
    for speak, listen in joins:
        received: list[TimedPacket] = []
        await crowd.connect(Listener(received.append, **crowd.options), listen)
        pairs.append((await crowd.connect(Clicker(SETTLE_SECONDS + seconds, **crowd.options), speak), received))
    for clicker, _ in pairs:
        clicker.start_clicking()
        await asyncio.sleep(TICK_SECONDS / len(pairs))
    await asyncio.sleep(SETTLE_SECONDS)
    for _, received in pairs:
        received.clear()
    await asyncio.sleep(seconds)
    return [passed for clicker, received in pairs for passed in clicker.delays(received)]


async def node_clicks(seconds: float) -> list[float]:
    """The seconds that clicks take through our node, with packets of 20 ms."""
    async with MediaNode(**GROUP_OF_20_MS) as node, Crowd() as crowd:
        rooms = [node.open_space(1) for _ in range(PHASES)]
        return await click(crowd, [(room.speak, room.listen) for room in rooms], seconds)


async def janus_clicks(seconds: float) -> list[float]:
    """The seconds that clicks take through Janus's AudioBridge."""
    async with Janus() as janus, Crowd(**PEER) as crowd:
        rooms = [await janus.room(number) for number in range(1, PHASES + 1)]
        return await click(crowd, [(room.speak, room.listen) for room in rooms], seconds)


def unevenness(received: Sequence[TimedPacket]) -> list[float]:
    """How far each packet is from an even clock of 20 ms, in seconds."""
    offsets = np.array([packet.at - packet.sequence * TICK_SECONDS for packet in received])
    return [float(passed) for passed in np.abs(offsets - np.median(offsets))]


async def send_jitter(busy: float, seconds: float) -> list[float]:
    """Connect listeners until the node uses `busy` percent of its core, then time the packets of some of them."""
    voices = samples.voices(3)
    async with MediaNode(**GROUP_OF_20_MS) as node, Crowd() as crowd:
        room = node.open_space(len(voices))
        await measure.talking(crowd, room.speak, voices)
        timed: list[list[TimedPacket]] = [[] for _ in range(TIMED)]
        for received in timed:
            await crowd.connect(Listener(received.append), room.listen)
            await crowd.listen(room.listen, SAMPLE // TIMED)
        listeners = await fill(node, crowd, room.listen, SAMPLE, busy, seconds / 4)
        for received in timed:
            received.clear()
        used = await machine.usage(node.pid, seconds)
        health = await node.health()
    machine.say(f"{listeners} listeners, {used:.0f} % of a core; a tick takes {health.tick_ms}")
    return [passed for received in timed for passed in unevenness(received)]


async def fill(node: MediaNode, crowd: Crowd, listen: Join, count: int, busy: float, seconds: float) -> int:
    """Connect as many more listeners as fit by the cost of the present ones. Returns how many there are.

    It takes several rounds: the more listeners there are, the less each of them costs.
    """
    while True:
        await asyncio.sleep(measure.SETTLE_SECONDS)
        used = await machine.usage(node.pid, seconds)
        more = min(CAPACITY - TIMED - 10 - count, round((busy - used) * count / used))
        if more < NEARLY * count:
            return count
        await crowd.listen(listen, more)
        count += more


def ms(seconds: Sequence[float], share: float) -> float:
    """A percentile in milliseconds, nan without values."""
    return round(float(np.percentile(seconds, share)) * 1000, 1) if seconds else float("nan")


async def compare(seconds: float, busy: float) -> None:
    """Measure all three, and print the figures."""
    machine.need_program("janus")
    network.enter()
    ours = await node_clicks(seconds)
    machine.say(f"Spaces: {len(ours)} clicks, p50 {ms(ours, 50)} ms, p99 {ms(ours, 99)} ms")
    uneven = await send_jitter(busy, seconds)
    machine.say(f"Packets at {busy:.0f} % of a core: p50 {ms(uneven, 50)} ms, p99 {ms(uneven, 99)} ms from even")
    other = await janus_clicks(seconds)
    machine.say(f"Janus AudioBridge: {len(other)} clicks, p50 {ms(other, 50)} ms, p99 {ms(other, 99)} ms")
    figures = {
        "bench": "latency",
        "p50_ms": ms(ours, 50),
        "p99_ms": ms(ours, 99),
        "janus_p50_ms": ms(other, 50),
        "send_jitter_p99_ms": ms(uneven, 99),
    }
    print(json.dumps(figures))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of each measurement (20)")
    parser.add_argument("--busy", type=float, default=BUSY_PCT, help="percent of a core while packets are timed (70)")
    chosen = parser.parse_args()
    machine.run(lambda: compare(chosen.seconds, chosen.busy))


if __name__ == "__main__":
    main()
