"""What a listener costs a server: the room without listeners, then with them, on the server's own core."""

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
    """Shares of a core in percent: the room alone, and with ``listeners``; what those who check heard meanwhile."""

    room: float
    whole: float
    listeners: int
    hearing: Hearing

    @property
    def per_listener(self) -> float:
        """The share of a core for one listener, in percent."""
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
    """Measure a room in which somebody talks, bring in listeners, and measure again."""
    room = await machine.usage(pid, seconds)
    await crowd.listen(listen, count)
    await asyncio.sleep(SETTLE_SECONDS)
    crowd.reset()
    whole = await machine.usage(pid, seconds)
    if crowd.missed:
        machine.say(f"The rig itself came {crowd.missed} ticks too late: the machine is busy, do not trust this")
    hearing = crowd.heard()
    if unheard := hearing.shortfall:
        raise machine.Failed(f"What the listeners got is not worth a figure: {unheard}")
    return Cost(room, whole, count, hearing)


async def floor(payloads: Sequence[bytes], listeners: int, seconds: float) -> float:
    """Run the floor over these packets in a process on the server's core; percent of a core per listener."""
    command = [sys.executable, "-m", "bench.rig.floor", "--listeners", str(listeners), "--seconds", str(seconds)]
    with machine.on_core(machine.cores()[0]):
        command = machine.unhindered_too(command)
        process = await asyncio.create_subprocess_exec(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    said, _ = await process.communicate("\n".join(payload.hex() for payload in payloads).encode())
    return float(said.split()[-1])
