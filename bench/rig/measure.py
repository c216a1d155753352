"""What a listener costs a server: the CPU of the room without listeners, then with them."""

import asyncio
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from bench.rig import machine
from bench.rig.crowd import Crowd, Hearing, Join

SETTLE_SECONDS = 3.0


@dataclass(frozen=True)
class Cost:
    """Percent of a core: `room` without listeners, `whole` with them. `hearing` is what the checkers received."""

    room: float
    whole: float
    listeners: int
    hearing: Hearing

    @property
    def per_listener(self) -> float:
        """Percent of a core for one listener."""
        return (self.whole - self.room) / self.listeners

    def __str__(self) -> str:
        return (
            f"{self.per_listener:.4f} % of a core per listener (room {self.room:.2f} %, "
            f"with {self.listeners} listeners {self.whole:.2f} %); {self.hearing}"
        )


async def talking(crowd: Crowd, speak: Join, voices: Sequence[Sequence[bytes]]) -> None:
    """Bring in speakers and let the room settle."""
    for packets in voices:
        await crowd.speak(speak, packets)
    await asyncio.sleep(SETTLE_SECONDS)


async def cost(pid: int, crowd: Crowd, listen: Join, count: int, seconds: float) -> Cost:
    """Measure a room with speakers, bring in listeners, and measure again."""
    room = await machine.usage(pid, seconds)
    await crowd.listen(listen, count)
    await asyncio.sleep(SETTLE_SECONDS)
    crowd.reset()
    whole = await machine.usage(pid, seconds)
    if crowd.missed:
        machine.say(f"The rig itself missed {crowd.missed} ticks: the machine is busy, do not trust this")
    hearing = crowd.hearing()
    if unheard := hearing.shortfall:
        raise machine.Failed(f"The listeners got too little for a figure: {unheard}")
    return Cost(room, whole, count, hearing)


async def floor(payloads: Sequence[bytes], listeners: int, seconds: float) -> float:
    """Run the floor with these packets on the server's core. Returns percent of a core per listener."""
    command = [sys.executable, "-m", "bench.rig.floor", "--listeners", str(listeners), "--seconds", str(seconds)]
    with machine.on_core(machine.cores()[0]):
        command = machine.realtime_command(command)
        process = await asyncio.create_subprocess_exec(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    said, _ = await process.communicate("\n".join(payload.hex() for payload in payloads).encode())
    return float(said.split()[-1])
