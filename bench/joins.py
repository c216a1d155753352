"""What a join costs and how long it takes: `python -m bench.joins`. The last line is JSON.

500 peers join a Space with a speaker at the same moment: offer, answer, check, DTLS, the first packet decrypted. The
CPU time of the server per join excludes the sound that it sends meanwhile. The time is from the request to the first
packet. For comparison, peers begin to watch Janus's Streaming mountpoint (event_loops = 1).
"""

import argparse
import asyncio
import json
import time
from dataclasses import dataclass

import numpy as np

from bench.rig import machine, measure, network
from bench.rig.crowd import Crowd, Join
from bench.rig.janus import PEER, Janus
from bench.rig.node import MediaNode
from bench.rig.peers import Listener, TimedPacket
from bench.rig.sound import samples

JOINS, JANUS_JOINS = 500, 200
STEADY_SECONDS = 5.0
PATIENCE = 60.0  # seconds for all joins


@dataclass(frozen=True)
class Rush:
    """The result: seconds of each join, how many failed, CPU milliseconds per join without and with the sound."""

    seconds: list[float]
    failed: int
    cpu_ms: float
    cpu_ms_with_sound: float

    @property
    def p99(self) -> float:
        """The seconds after which 99 % of the peers had a packet."""
        return float(np.percentile(self.seconds, 99)) if self.seconds else float("nan")

    def __str__(self) -> str:
        return (
            f"{self.cpu_ms:.2f} ms of CPU per join ({self.cpu_ms_with_sound:.2f} with the sound sent meanwhile), "
            f"p50 {np.median(self.seconds) if self.seconds else float('nan'):.2f} s, p99 {self.p99:.2f} s, "
            f"{self.failed} of {self.failed + len(self.seconds)} failed"
        )


def ignore(received: TimedPacket) -> None:
    """Take a packet: its authentic arrival is enough."""


async def arrive(crowd: Crowd, join: Join) -> float:
    """Join, wait for the first packet, then stop reading. Returns when it came, in monotonic seconds."""
    peer = await crowd.connect(Listener(ignore, **crowd.options), join)
    await peer.sounding(PATIENCE)
    crowd.sink(peer)
    assert peer.received.first_at is not None
    return peer.received.first_at


async def rush(pid: int, crowd: Crowd, join: Join, count: int) -> Rush:
    """Let `count` peers join at once. Take off the cost of the sound, measured before and after."""
    room = await machine.usage(pid, STEADY_SECONDS)
    start, cpu = time.monotonic(), machine.cpu_seconds(pid)
    ends = await asyncio.gather(*(arrive(crowd, join) for _ in range(count)), return_exceptions=True)
    end, cpu = time.monotonic(), machine.cpu_seconds(pid) - cpu
    heard = [moment for moment in ends if isinstance(moment, float)]
    if failures := [moment for moment in ends if not isinstance(moment, float)]:
        machine.say(f"{len(failures)} of {count} joins failed, the first one with {failures[0]!r}")
    if not heard:
        raise machine.Failed("no join succeeded")
    await asyncio.sleep(measure.SETTLE_SECONDS)
    whole = await machine.usage(pid, STEADY_SECONDS)
    listened = sum(end - moment for moment in heard)  # seconds, summed over all listeners
    sounding = room / 100 * (end - start) + (whole - room) / 100 / len(heard) * listened
    return Rush(
        [moment - start for moment in heard],
        count - len(heard),
        (cpu - sounding) / count * 1000,
        cpu / count * 1000,
    )


async def node(voices: list[list[bytes]], count: int) -> Rush:
    """Join a Space on our node."""
    async with MediaNode() as server, Crowd() as crowd:
        room = server.open_space(len(voices))
        await measure.talking(crowd, room.speak, voices)
        return await rush(server.pid, crowd, room.listen, count)


async def janus(voices: list[list[bytes]], count: int) -> Rush:
    """Watch a mountpoint of Janus."""
    async with Janus(event_loops=1) as server, Crowd(**PEER) as crowd:
        bridge = await server.room()
        mountpoint = await bridge.forward()
        await measure.talking(crowd, bridge.speak, voices)
        return await rush(server.pid, crowd, mountpoint.listen, count)


async def compare(joins: int, janus_joins: int) -> None:
    """Measure both, and print the figures."""
    machine.need_program("janus")
    network.enter()
    voices = samples.voices(1)
    ours = await node(voices, joins)
    machine.say(f"Spaces, {joins} at once: {ours}")
    other = await janus(voices, janus_joins)
    machine.say(f"Janus Streaming, {janus_joins} at once: {other}")
    figures = {
        "bench": "joins",
        "cpu_ms_per_join": round(ours.cpu_ms, 2),
        "p99_s": round(ours.p99, 2),
        "failed": ours.failed,
        "janus_cpu_ms_per_join": round(other.cpu_ms, 2),
    }
    print(json.dumps(figures))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--joins", type=int, default=JOINS, help="at our node (500)")
    parser.add_argument("--janus-joins", type=int, default=JANUS_JOINS, help="at Janus, as many as a core can do (200)")
    chosen = parser.parse_args()
    machine.run(lambda: compare(chosen.joins, chosen.janus_joins))


if __name__ == "__main__":
    main()
