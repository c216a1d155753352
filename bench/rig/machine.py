"""What a benchmark needs of the machine: processes on cores of their own, their CPU time and memory, other programs."""

import asyncio
import gc
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from rooms.media.priority import Hurry

TICKS = os.sysconf("SC_CLK_TCK")  # of CPU time, per second
PAGE = os.sysconf("SC_PAGE_SIZE")  # octets


class Missing(RuntimeError):
    """Something that the benchmark needs is not there; the text is one line, with the command that mends it."""


class Failed(RuntimeError):
    """A server that is measured refused something, or is gone; the text is one line."""


def need_program(name: str, package: str = "") -> Path:
    """Return where a program is; Missing, with the package of Debian's that has it, where it is not."""
    found = shutil.which(name)
    if found is None:
        raise Missing(f"{name} is missing: apt-get install {package or name}")
    return Path(found)


@cache
def cores() -> tuple[int, int]:
    """Return the core of the server that is measured, and the one of the rig; Missing where there is one only.

    Asked for the first time before this process is pinned, and remembered.
    """
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        raise Missing("two cores are needed: one for the server that is measured, one for the rig")
    return allowed[-1], allowed[0]


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Run this thread, and whatever it starts meanwhile, on one core; other threads stay where they are."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def unhindered() -> Iterator[None]:
    """Run this thread, in which an event loop runs, before other programs, as a node does, and look for no garbage.

    What comes late from the rig is not heard in time, and no server could help it. Once more inside, it does nothing.
    """
    if not gc.isenabled():
        yield
        return
    gc.collect()
    gc.disable()
    try:
        with Hurry(asyncio.get_running_loop()):
            yield
    finally:
        gc.enable()


def unhindered_too(command: list[str]) -> list[str]:
    """Return the command that runs a server before other programs, where the system allows it, as a node runs itself.

    Children of this process do not inherit its priority, whatever it is.
    """
    return ["chrt", "--rr", "1", *command] if _may_hurry() else command


@cache
def _may_hurry() -> bool:
    chrt = shutil.which("chrt")
    return chrt is not None and subprocess.run([chrt, "--rr", "1", "true"], capture_output=True).returncode == 0


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process with all its threads, in user and kernel mode (proc(5), fields 14 and 15).

    Failed where it has ended: what is left of it would look like a process that costs nothing.
    """
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    if fields[0] in "ZX":
        raise Failed(f"the process that is measured ({pid}) has ended")
    return (int(fields[11]) + int(fields[12])) / TICKS


def ended(process: "subprocess.Popen[bytes]") -> str:
    """Say how a process has ended; nothing where it lives."""
    code = process.poll()
    if code is None:
        return ""
    return f"its process was ended by signal {-code}" if code < 0 else f"its process ended with {code}"


def memory_mb(pid: int) -> float:
    """Return the resident memory of a process in MB (proc(5), statm)."""
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * PAGE / 1e6


async def usage(pid: int, seconds: float) -> float:
    """Return the share of a core, in percent, that a process uses in the next ``seconds``."""
    before, start = cpu_seconds(pid), time.monotonic()
    await asyncio.sleep(seconds)
    return (cpu_seconds(pid) - before) / (time.monotonic() - start) * 100


def free_port(kind: int = socket.SOCK_STREAM) -> int:
    """Return a port of 127.0.0.1 that nobody uses at the moment."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def say(text: str) -> None:
    """Tell a person how far the benchmark is."""
    print(text, flush=True)


def run(bench: Callable[[], Awaitable[None]]) -> None:
    """Run a benchmark on the rig's core; what is missing or has failed is one line and exit code 1."""
    try:
        with on_core(cores()[1]):
            asyncio.run(_finished(bench))
    except (Missing, Failed) as reason:
        sys.exit(str(reason))


async def _finished(bench: Callable[[], Awaitable[None]]) -> None:
    with unhindered():
        await bench()
