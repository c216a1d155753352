"""What Spaces with hardly any listeners cost: `python -m bench.rooms`. The last line is JSON.

On one node: 100 Spaces with a silent host and one listener each, then 20 Spaces with one voice and one listener each.
The figures are percent of a core for all of them, without the cost of the idle node.
"""

import argparse
import asyncio
import json
from collections.abc import Sequence

from bench.rig import machine, measure
from bench.rig.crowd import Crowd
from bench.rig.node import MediaNode, Room
from bench.rig.sound import samples

SILENT, TALKING = 100, 20
SECONDS = 10.0


async def fill(crowd: Crowd, room: Room, packets: Sequence[bytes]) -> None:
    """Connect a host, who talks if there are packets, and one listener."""
    await crowd.speak(room.speak, packets)
    await crowd.listen(room.listen, 1)


async def cost(count: int, voices: Sequence[Sequence[bytes]], seconds: float) -> float:
    """What `count` Spaces cost. They get the voices in turn."""
    async with MediaNode() as node, Crowd() as crowd:
        await asyncio.sleep(measure.SETTLE_SECONDS)
        idle = await machine.usage(node.pid, seconds)
        for number in range(count):
            await fill(crowd, node.open_space(1), voices[number % len(voices)])
        await asyncio.sleep(measure.SETTLE_SECONDS)
        crowd.reset()
        used = await machine.usage(node.pid, seconds)
        machine.say(f"{count} Spaces: {used - idle:.2f} % of a core (idle node {idle:.2f} %); {crowd.hearing()}")
        return used - idle


async def measure_both(silent: int, talking: int, seconds: float) -> None:
    """Measure both, and print the figures."""
    machine.say("Silent Spaces")
    quiet = await cost(silent, [[]], seconds)
    machine.say("Spaces with one voice")
    loud = await cost(talking, samples.voices(5), seconds)
    figures = {
        "bench": "rooms",
        "silent_spaces": silent,
        "silent_pct": round(quiet, 2),
        "talking_spaces": talking,
        "talking_pct": round(loud, 2),
    }
    print(json.dumps(figures))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--silent", type=int, default=SILENT, help="silent Spaces (100)")
    parser.add_argument("--talking", type=int, default=TALKING, help="Spaces with one voice (20)")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of each measurement (10)")
    chosen = parser.parse_args()
    machine.run(lambda: measure_both(chosen.silent, chosen.talking, chosen.seconds))


if __name__ == "__main__":
    main()
