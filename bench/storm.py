"""What a Space hears while strangers flood its node: `python -m bench.storm`. The last line is JSON.

Three people hold a tone each, 300 listen. For a few seconds at a time nothing happens, then 20,000 packets a second of
one kind arrive from many addresses (1,000 a second of checks with the user fragments of a listener and a wrong
signature), then 500 peers join within 10 s among 2,000 strangers' packets a second of all kinds. Told each time: what
the checking listeners lost and how strong the tones were at the worst moment, what the node had to invent of the
voices, how its clock went; at the end, what is missing in the archive.
"""

import argparse
import asyncio
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np

from bench.joins import arrive
from bench.rig import flood, machine, measure
from bench.rig.crowd import Crowd
from bench.rig.ears import Archived, Ear, archived, faintest, tones
from bench.rig.node import MediaNode, Room
from bench.rig.peers import Received
from bench.rig.sound import played
from rooms.media.clock import TICK_SECONDS
from rooms.media.opus import FRAME
from rooms.media.priority import Hurry

QUIET, JOINS = "quiet", "joins"
PHASES = (QUIET, *flood.KINDS, flood.SIGNATURE, JOINS)
RATES = dict.fromkeys(flood.KINDS, 20000.0) | {flood.SIGNATURE: 1000.0, JOINS: 2000.0}
HERTZ = (400, 650, 1050)
LISTENERS, NEWCOMERS = 300, 500
SECONDS, JOIN_SECONDS = 10.0, 10.0
TRIES, MOST_LATE_MS = 3, 20.0  # a speaker who sends later than that is not heard in time, flood or not
GETTING_GOING = 5 * FRAME  # samples, until a decoder that begins amid a tone has it
ARCHIVE_SECONDS = 10.0  # until the node has shipped the last of its tracks, at the most


@dataclass(frozen=True)
class Heard:
    """How one phase went.

    ``rate``: packets of the flood that the kernel took, a second; ``dropped_pct``: of those that the node counted as
    what they are. ``lost_pct``, ``left_out_pct``, ``broken``: at the checking listeners. ``pause_ms``: between two
    packets, at the most. ``concealed_ms``: invented of all voices together; ``voices_lost``: their packets that did not
    come in time. ``tick_ms``, ``late_ms``: p99 of what ticks took and were late. ``overflowed``: packets for which the
    port's queue had no room. ``rig_late_ms``: how late the rig's own ticks were at the most, which is in all of it.
    """

    phase: str
    rate: float
    dropped_pct: float
    lost_pct: float
    left_out_pct: float
    broken: int
    pause_ms: float
    concealed_ms: int
    voices_lost: int
    tick_ms: float
    late_ms: float
    missed_ticks: int
    overflowed: int
    cpu_pct: float
    rig_late_ms: float
    received: list[Received]

    @cached_property
    def faintest(self) -> float:
        """The tones at the worst moment, 1.0 being as usual; takes a second, in which the rig should not be needed."""
        return faintest(played(self.received)[0][GETTING_GOING:], HERTZ)

    @property
    def figures(self) -> dict[str, Any]:
        """All but the packets, for people and machines."""
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name != "received"}

    def __str__(self) -> str:
        return " ".join(f"{name}={_short(value)}" for name, value in self.figures.items())


@dataclass(frozen=True)
class Rush:
    """How the joins went: how many failed, the seconds until 99 % had heard something, peers at the end."""

    failed: int
    p99_s: float


Act = Callable[[], Awaitable[flood.Sent]]


class Storm:
    """One Space on one node, and what can be done to it. ``rush`` is of the joins, None before them."""

    def __init__(self, node: MediaNode, crowd: Crowd, room: Room) -> None:
        self.node, self.crowd, self.room = node, crowd, room
        self.rush: Rush | None = None
        self._talking_since = 0.0

    async def gather(self, listeners: int) -> None:
        """Bring in those who speak, those who listen, and one who keeps what he hears."""
        await measure.talking(self.crowd, self.room.speak, tones(HERTZ))
        self._talking_since = time.monotonic()
        self._ear = await self.crowd.connect(Ear(**self.crowd.options), self.room.listen)
        self.crowd.checkers.append(self._ear)
        await self.crowd.listen(self.room.listen, listeners - 1)
        await asyncio.sleep(measure.SETTLE_SECONDS)

    async def phase(self, name: str, seconds: float, newcomers: int) -> Heard:
        """Let one of PHASES pass, and say what was heard meanwhile; again where the rig itself did not keep up."""
        for _ in range(TRIES):
            heard = await self._try(name, seconds, newcomers)
            machine.say(str(heard))
            if heard.rig_late_ms < MOST_LATE_MS or name == JOINS:
                break
            machine.say("The rig itself was late: once more")
        return heard

    async def _try(self, name: str, seconds: float, newcomers: int) -> Heard:
        before, counts, cpu = await self._counts(TICK_SECONDS), await self._voices(), machine.cpu_seconds(self.node.pid)
        self.crowd.reset()
        start = time.monotonic()
        sent = await self._happen(name, seconds, newcomers)
        passed = time.monotonic() - start
        after, voices = await self._counts(passed), await self._voices() - counts
        hearing = self.crowd.heard()
        return Heard(
            phase=name,
            rate=sent.rate,
            dropped_pct=100 * _known(before, after) / sent.packets if sent.packets else 100.0,
            lost_pct=hearing.loss_pct,
            left_out_pct=hearing.left_out_pct,
            broken=hearing.broken,
            pause_ms=self._ear.longest_pause * 1000,
            concealed_ms=round(voices["concealed"] * TICK_SECONDS * 1000),
            voices_lost=voices["lost"],
            tick_ms=after["tick_ms"]["p99"],
            late_ms=after["late_ms"]["p99"],
            missed_ticks=after["missed_ticks"] - before["missed_ticks"],
            overflowed=after["overflowed"] - before["overflowed"],
            cpu_pct=100 * (machine.cpu_seconds(self.node.pid) - cpu) / passed,
            rig_late_ms=self.crowd.late * 1000,
            received=list(self._ear.received),
        )

    async def _counts(self, seconds: float) -> dict[str, Any]:
        return await self.node.health(seconds)

    async def _voices(self) -> Counter[str]:
        """What the node's jitter buffers have counted of all voices."""
        voices = (await self.room.stats())["voices"].values()
        return Counter({name: sum(voice[name] for voice in voices) for name in ("lost", "concealed")})

    async def _happen(self, name: str, seconds: float, newcomers: int) -> flood.Sent:
        if name == QUIET:
            await asyncio.sleep(seconds)
            return flood.Sent(0, 0.0)
        if name == JOINS:
            strangers = self._flood(tuple(flood.KINDS), RATES[name], JOIN_SECONDS)
            sent, self.rush = await asyncio.gather(strangers, self._join(newcomers))
            return sent
        return await self._flood((name,), RATES[name], seconds)

    async def _flood(self, kinds: Sequence[str], rate: float, seconds: float) -> flood.Sent:
        return await flood.flood(self.node.port, kinds, rate, seconds, self._ear.fragments)

    async def _join(self, count: int) -> Rush:
        """Let so many join, evenly over the time."""
        joins = []
        for _ in range(count):
            joins.append(asyncio.create_task(self._arrive()))
            await asyncio.sleep(JOIN_SECONDS / count)
        ends = await asyncio.gather(*joins, return_exceptions=True)
        took = [end for end in ends if isinstance(end, float)]
        return Rush(count - len(took), float(np.percentile(took, 99)) if took else float("nan"))

    async def _arrive(self) -> float:
        start = time.monotonic()
        return await arrive(self.crowd, self.room.listen) - start

    async def archive(self) -> Archived:
        """End the Space and say what was kept of the voices."""
        self.room.end()
        least = len(HERTZ) * (time.monotonic() - self._talking_since - 1)
        try:
            async with asyncio.timeout(ARCHIVE_SECONDS):
                while (kept := archived(self.node.recordings, self.room.space)).seconds < least:  # noqa: ASYNC110
                    await asyncio.sleep(0.2)
        except TimeoutError:
            raise machine.Failed(f"the archive has {kept.seconds:.0f} of {least:.0f} s") from None
        return kept


def _known(before: dict[str, Any], after: dict[str, Any]) -> int:
    """How many packets the node has thrown away for the causes that a flood is of."""
    causes = [kind.cause for kind in flood.KINDS.values()] + [flood.SIGNATURE_CAUSE]
    return sum(after["drops"].get(cause, 0) - before["drops"].get(cause, 0) for cause in causes)


def _short(value: object) -> object:
    return f"{value:.3g}" if isinstance(value, float) else value


async def storm(phases: Sequence[str], seconds: float, listeners: int, newcomers: int) -> dict[str, Any]:
    """Let these phases pass one after the other, say each, and return the last line."""
    async with MediaNode() as node, Crowd() as crowd:
        made = Storm(node, crowd, node.open_space(len(HERTZ)))
        heard = []
        with Hurry(asyncio.get_running_loop()):  # as the node does: what comes late from the rig is not heard in time
            await made.gather(listeners)
            for name in phases:
                heard.append(await made.phase(name, seconds, newcomers))
            kept = await made.archive()
        machine.say(f"Archive: {kept.turns} tracks, {kept.seconds:.1f} s, {kept.missing:.3f} s missing; {made.rush}")
    machine.say("Tones at the worst moment: " + ", ".join(f"{each.phase} {each.faintest:.2f}" for each in heard))
    return {
        "bench": "storm",
        "listeners": listeners,
        "phases": [each.figures | {"faintest": each.faintest} for each in heard],
        "joins": asdict(made.rush) if made.rush else None,
        "archive_missing_pct": kept.missing_pct,
    }


async def say(phases: Sequence[str], seconds: float, listeners: int, newcomers: int) -> None:
    """Print the last line, rounded."""
    figures = await storm(phases, seconds, listeners, newcomers)
    print(json.dumps(json.loads(json.dumps(figures), parse_float=lambda digits: round(float(digits), 3))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--phases", default=",".join(PHASES), help=f"some of {', '.join(PHASES)} (all)")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of each, but of the joins (10)")
    parser.add_argument("--listeners", type=int, default=LISTENERS, help="of the Space (300)")
    parser.add_argument("--newcomers", type=int, default=NEWCOMERS, help="who join within 10 s (500)")
    chosen = parser.parse_args()
    phases = chosen.phases.split(",")
    if unknown := set(phases) - set(PHASES):
        parser.error(f"no phase {', '.join(sorted(unknown))}")
    machine.run(lambda: say(phases, chosen.seconds, chosen.listeners, chosen.newcomers))


if __name__ == "__main__":
    main()
