"""What listeners get while strangers flood the node: `python -m bench.storm`. The last line is JSON.

Three speakers send a tone each, and 300 peers listen. After a calm phase, 20,000 packets a second of one kind arrive
from many addresses. Checks with the user fragments of a listener and a wrong signature come at 1,000 a second. In the
last phase 500 peers join within 10 s among 2,000 packets a second of all kinds. Figures per phase: the loss of the
checkers, the strength of the tones at the worst moment, what the node had to invent, its clock. At the end: what is
missing in the recordings.
"""

import argparse
import asyncio
import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Self

import numpy as np

from bench.joins import arrive
from bench.rig import flood, machine, measure
from bench.rig.crowd import Crowd
from bench.rig.node import MediaNode
from bench.rig.peers import TimedPacket
from bench.rig.sound.samples import played
from bench.rig.sound.tones import Archived, KeepingChecker, archived, faintest, tones
from rooms.media.clock import TICK_SECONDS
from rooms.media.contract.health import Health
from rooms.media.units import FRAME

HERTZ = (400, 650, 1050)
LISTENERS, NEWCOMERS = 300, 500
SECONDS = 10.0
TRIES, MOST_LATE_MS = 3, 20.0  # packets of a speaker that leave later are too late without any flood
GETTING_GOING = 5 * FRAME  # samples until a decoder that starts inside a tone has settled
ARCHIVE_SECONDS = 10.0  # for the node to ship its last chunks


@dataclass(frozen=True)
class Phase:
    """One phase: a flood of these kinds, `rate` packets a second, and `newcomers` spread evenly over the time."""

    kinds: tuple[str, ...] = ()
    rate: float = 0.0
    newcomers: int = 0


PHASES = {
    "quiet": Phase(),
    **{kind: Phase((kind,), 20_000.0) for kind in flood.KINDS},
    flood.SIGNATURE: Phase((flood.SIGNATURE,), 1000.0),
    "joins": Phase(tuple(flood.KINDS), 2000.0, NEWCOMERS),
}


@dataclass(frozen=True)
class PhaseResult:
    """The result of one phase.

    `rate`: packets of the flood a second that the kernel took. `dropped_pct`: the share that the node counted as what
    they are, None without a flood. `lost_pct`, `left_out_pct`, `broken`: of the checkers. `pause_ms`: the longest time
    between two packets. `concealed_ms`: invented sound of all voices together. `voices_lost`: packets of voices that
    did not arrive in time. `tick_ms`, `late_ms`: p99 of the duration and delay of ticks. `overflowed`: packets for
    which the queue of the port had no room. `joined`: newcomers who got sound, 99 % of them within `join_p99_s`.
    `rig_late_ms`: the largest delay of the rig's own ticks, which is part of all figures. `time`: from and to, in
    seconds of room time.
    """

    phase: str
    rate: float
    dropped_pct: float | None
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
    joined: int
    join_p99_s: float
    rig_late_ms: float
    time: tuple[float, float]
    received: list[TimedPacket]

    @cached_property
    def faintest(self) -> float:
        """The strength of the tones at the worst moment, 1.0 as usual. It takes a second: pause the rig."""
        return faintest(played(self.received)[0][GETTING_GOING:], HERTZ)

    @property
    def figures(self) -> dict[str, Any]:
        """All figures, without the packets and the time."""
        return {
            field.name: getattr(self, field.name) for field in fields(self) if field.name not in ("time", "received")
        }

    def __str__(self) -> str:
        return " ".join(f"{name}={_short(value)}" for name, value in self.figures.items())


class Storm:
    """One Space on one node, and the flood on it: `async with Storm(node, crowd, listeners) as storm`."""

    def __init__(self, node: MediaNode, crowd: Crowd, listeners: int) -> None:
        self.node, self.crowd, self.room = node, crowd, node.open_space(len(HERTZ))
        self._listeners, self._started = listeners, AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Connect speakers, listeners and a checker that keeps its packets, and start the generator."""
        await measure.talking(self.crowd, self.room.speak, tones(HERTZ))
        self._talking_since = time.monotonic()
        self._checker = await self.crowd.connect(KeepingChecker(**self.crowd.options), self.room.listen)
        self.crowd.checkers.append(self._checker)
        await self.crowd.listen(self.room.listen, self._listeners - 1)
        async with AsyncExitStack() as started:
            generator = flood.Generator(self.node.port, self._checker.fragments)
            self._generator = await started.enter_async_context(generator)
            await asyncio.sleep(measure.SETTLE_SECONDS)
            self._started = started.pop_all()
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self._started.aclose()

    async def pass_by(self, name: str, phase: Phase, seconds: float) -> PhaseResult:
        """Run a phase and return its result. Repeat it if the rig itself did not keep up."""
        for _ in range(TRIES):
            async with Crowd(**self.crowd.options) as newcomers:
                heard = await self._watch(name, phase, seconds, newcomers)
            machine.say(str(heard))
            if heard.rig_late_ms < MOST_LATE_MS:
                break
            machine.say("The rig itself was late: these figures do not count")
        return heard

    async def _watch(self, name: str, phase: Phase, seconds: float, newcomers: Crowd) -> PhaseResult:
        before, counts, cpu = await self.node.health(), await self._voices(), machine.cpu_seconds(self.node.pid)
        self.crowd.reset()
        start = time.monotonic()
        sent, rush = await asyncio.gather(self._flood(phase, seconds), self._join(newcomers, phase.newcomers, seconds))
        passed = time.monotonic() - start
        after, voices = await self.node.health(passed), await self._voices() - counts
        hearing = self.crowd.hearing()
        return PhaseResult(
            phase=name,
            rate=sent.rate,
            dropped_pct=100 * _dropped(before, after, phase.kinds) / sent.packets if sent.packets else None,
            lost_pct=hearing.loss_pct,
            left_out_pct=hearing.left_out_pct,
            broken=hearing.broken,
            pause_ms=self._checker.longest_pause * 1000,
            concealed_ms=round(voices["concealed"] * TICK_SECONDS * 1000),
            voices_lost=voices["lost"],
            tick_ms=after.tick_ms.p99,
            late_ms=after.late_ms.p99,
            missed_ticks=after.missed_ticks - before.missed_ticks,
            overflowed=after.overflowed - before.overflowed,
            cpu_pct=100 * (machine.cpu_seconds(self.node.pid) - cpu) / passed,
            joined=len(rush),
            join_p99_s=float(np.percentile(rush, 99)) if rush else 0.0,
            rig_late_ms=self.crowd.late * 1000,
            time=(self._room_time - passed, self._room_time),
            received=list(self._checker.kept),
        )

    @property
    def _room_time(self) -> float:
        return time.time() - self.room.standing.started_at

    async def _voices(self) -> Counter[str]:
        """The counts of the node's jitter buffers, summed over all voices."""
        voices = (await self.room.held()).voices.values()
        return Counter(lost=sum(voice.lost for voice in voices), concealed=sum(voice.concealed for voice in voices))

    async def _flood(self, phase: Phase, seconds: float) -> flood.Sent:
        if phase.kinds:
            return await self._generator.flood(flood.FloodRequest(phase.kinds, phase.rate, seconds))
        await asyncio.sleep(seconds)
        return flood.Sent(0, 0.0)

    async def _join(self, crowd: Crowd, count: int, seconds: float) -> list[float]:
        """Let `count` peers join. Returns the seconds until each had its first packet."""
        joins = []
        for _ in range(count):
            joins.append(asyncio.create_task(self._arrive(crowd)))
            await asyncio.sleep(seconds / count)
        ends = await asyncio.gather(*joins, return_exceptions=True)
        return [end for end in ends if isinstance(end, float)]

    async def _arrive(self, crowd: Crowd) -> float:
        start = time.monotonic()
        return await arrive(crowd, self.room.listen) - start

    async def archive(self) -> Archived:
        """End the Space and return what was recorded of the voices."""
        self.room.end()
        least = len(HERTZ) * (time.monotonic() - self._talking_since - 1)
        try:
            async with asyncio.timeout(ARCHIVE_SECONDS):
                while (kept := archived(self.node.recordings, self.room.space)).seconds < least:  # noqa: ASYNC110
                    await asyncio.sleep(0.2)
        except TimeoutError:
            raise machine.Failed(f"the archive has {kept.seconds:.0f} of {least:.0f} s") from None
        return kept


def _dropped(before: Health, after: Health, kinds: Sequence[str]) -> int:
    """How many packets the node has dropped for the causes of these kinds."""
    causes = [flood.CAUSES[kind] for kind in kinds]
    return sum(after.drops.get(cause, 0) - before.drops.get(cause, 0) for cause in causes)


def _short(value: object) -> object:
    return (f"{value:.3g}" if value < 1000 else f"{value:.0f}") if isinstance(value, float) else value


async def storm(phases: Mapping[str, Phase], seconds: float, listeners: int) -> tuple[list[PhaseResult], Archived]:
    """Run these phases in turn, and return their results and what was recorded."""
    async with MediaNode() as node, Crowd() as crowd:
        with machine.realtime():
            async with Storm(node, crowd, listeners) as made:
                heard = [await made.pass_by(name, phase, seconds) for name, phase in phases.items()]
                kept = await made.archive()
    for each in heard:
        machine.say(
            f"{each.phase}: {each.faintest:.2f} of the tones' strength at the worst moment, "
            f"{kept.missing(*each.time):.3f} s missing in the archive of {kept.turns} voices"
        )
    return heard, kept


async def say(phases: Mapping[str, Phase], seconds: float, listeners: int) -> None:
    """Print the last line, rounded."""
    heard, kept = await storm(phases, seconds, listeners)
    rows = [each.figures | {"faintest": each.faintest, "archive_missing_s": kept.missing(*each.time)} for each in heard]
    print(json.dumps({"bench": "storm", "listeners": listeners, "phases": [rounded(row) for row in rows]}))


def rounded(row: Mapping[str, Any]) -> dict[str, Any]:
    """The figures rounded to three decimals."""
    return {name: round(value, 3) if isinstance(value, float) else value for name, value in row.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--phases", default=",".join(PHASES), help=f"some of {', '.join(PHASES)} (all)")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of each (10)")
    parser.add_argument("--listeners", type=int, default=LISTENERS, help="of the Space (300)")
    chosen = parser.parse_args()
    names = chosen.phases.split(",")
    if unknown := set(names) - set(PHASES):
        parser.error(f"no phase {', '.join(sorted(unknown))}")
    machine.run(lambda: say({name: PHASES[name] for name in names}, chosen.seconds, chosen.listeners))


if __name__ == "__main__":
    main()
