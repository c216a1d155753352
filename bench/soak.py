"""A large Space for a while: `python -m bench.soak --minutes 10`. The last line is JSON.

Twelve voices, three of which talk at a time: real speech, while the others send nothing, as browsers with DTX do. 1,000
listeners join meanwhile, so the node decides about the length of their packets. Figures: percent of a core, loss and
time without packets of the checkers, how many of them got packets of 60 ms, memory, and missed ticks. The exit code is
1 if a figure is not good enough.
"""

import argparse
import asyncio
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from bench.rig import machine, measure
from bench.rig.crowd import Crowd
from bench.rig.node import MediaNode
from bench.rig.sound import samples
from rooms.media.sound.opus import Encoder
from rooms.media.units import FRAME, SAMPLE_RATE

VOICES, AT_ONCE = 12, 3
LISTENERS, MINUTES = 1000, 10.0
SLOT_SECONDS = 5  # during which the same three talk
LOOP_SECONDS = VOICES // AT_ONCE * SLOT_SECONDS
SAMPLE_SECONDS = 30.0
MOST_LOST_PCT = 0.1  # of the packets, and of the time
LEAST_AUDIBLE_PCT = 80  # of the packets: three talk at a time, with pauses
MOST_GROWTH = 1.05  # of the memory, after the first sample


def voice(number: int) -> list[bytes]:
    """The packets of voice `number`, to be repeated: one slot of speech, silence in all others."""
    pcm = np.zeros(LOOP_SECONDS * SAMPLE_RATE, np.int16)
    start = number // AT_ONCE * SLOT_SECONDS * SAMPLE_RATE
    pcm[start : start + SLOT_SECONDS * SAMPLE_RATE] = samples.speech(SLOT_SECONDS, first=3 * number)
    encoder = Encoder(dtx=True)
    return [encoder.encode(pcm[place : place + FRAME]) for place in range(0, len(pcm), FRAME)]


async def soak(listeners: int, minutes: float) -> None:
    """Fill a Space, watch it, and print the figures."""
    voices = [voice(number) for number in range(VOICES)]
    async with MediaNode() as node, Crowd() as crowd:
        room = node.open_space(VOICES)
        await measure.talking(crowd, room.speak, voices)
        await crowd.listen(room.listen, listeners)
        await asyncio.sleep(measure.SETTLE_SECONDS)
        crowd.reset()
        missed = (await node.health()).missed_ticks
        shares, memory = [], [machine.memory_mb(node.pid)]
        for _ in range(max(1, round(minutes * 60 / SAMPLE_SECONDS))):
            shares.append(await machine.usage(node.pid, min(SAMPLE_SECONDS, minutes * 60)))
            memory.append(machine.memory_mb(node.pid))
            machine.say(f"{shares[-1]:.1f} % of a core, {memory[-1]:.0f} MB; {crowd.hearing()}")
        hearing, health = crowd.hearing(), await node.health()
        long_packets = sum(60 in checker.frames for checker in crowd.checkers)
    machine.say(f"A tick {health.tick_ms}, late {health.late_ms}, {health.missed_ticks} left out")
    figures = {
        "bench": "soak",
        "listeners": listeners,
        "minutes": minutes,
        "cpu_pct": round(float(np.mean(shares)), 1),
        "lost_pct": round(hearing.loss_pct, 4),
        "left_out_pct": round(hearing.left_out_pct, 4),
        "audible_pct": round(hearing.audible_pct),
        "broken": hearing.broken,
        "long_packets_pct": round(100 * long_packets / len(crowd.checkers)),
        "memory_mb_first": round(memory[1], 1),
        "memory_mb_last": round(memory[-1], 1),
        "missed_ticks": health.missed_ticks - missed,
        "rig_missed_ticks": crowd.missed,
    }
    print(json.dumps(figures))
    if short := shortfalls(figures):
        raise machine.Failed(f"Not good enough: {'; '.join(short)}")


def shortfalls(figures: Mapping[str, Any]) -> list[str]:
    """Which figures are not good enough."""
    found = [f"{name} {figures[name]}" for name in ("lost_pct", "left_out_pct") if figures[name] >= MOST_LOST_PCT]
    found += [f"{name} {figures[name]}" for name in ("broken", "rig_missed_ticks") if figures[name]]
    if figures["audible_pct"] < LEAST_AUDIBLE_PCT:
        found.append(f"only {figures['audible_pct']} % of the packets had anything to hear")
    if figures["memory_mb_last"] > MOST_GROWTH * figures["memory_mb_first"]:
        found.append(f"memory grew from {figures['memory_mb_first']} to {figures['memory_mb_last']} MB")
    if figures["listeners"] >= LISTENERS and figures["long_packets_pct"] <= 50:
        found.append(f"only {figures['long_packets_pct']} % got packets of 60 ms")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listeners", type=int, default=LISTENERS, help="listeners (1000)")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="duration (10)")
    chosen = parser.parse_args()
    machine.run(lambda: soak(chosen.listeners, chosen.minutes))


if __name__ == "__main__":
    main()
