"""What a benchmark needs of the machine: processes on own cores, their CPU time and memory, other programs."""

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

from rooms.media.priority import RealTime

TICKS = os.sysconf("SC_CLK_TCK")  # of CPU time, per second
PAGE = os.sysconf("SC_PAGE_SIZE")  # octets


class Missing(RuntimeError):
    """Something that the benchmark needs is missing. The text is one line, with the command that installs it."""


class Failed(RuntimeError):
    """A measured server refused something, or is gone. The text is one line."""


def need_program(name: str, package: str = "") -> Path:
    """The path of a program. Raises Missing, which names its Debian package, if it is not installed."""
    found = shutil.which(name)
    if found is None:
        raise Missing(f"{name} is missing: apt-get install {package or name}")
    return Path(found)


@cache
def cores() -> tuple[int, int]:
    """The core of the measured server and the core of the rig. Raises Missing if there is only one.

    The first call has to come before this process is pinned. Its result is kept.
    """
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        raise Missing("two cores are needed: one for the measured server, one for the rig")
    return allowed[-1], allowed[0]


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Run this thread, and what it starts meanwhile, on one core. Other threads stay where they are."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def realtime() -> Iterator[None]:
    """Run this thread, with its event loop, with real-time priority and without garbage collection, as a node does.

    A late packet of the rig would count against the server. When nested it does nothing.
    """
    if not gc.isenabled():
        yield
        return
    gc.collect()
    gc.disable()
    try:
        with RealTime(asyncio.get_running_loop()):
            yield
    finally:
        gc.enable()


def realtime_command(command: list[str]) -> list[str]:
    """The command that runs a server with real-time priority, if the system allows it, as a node has it.

    Children of this process do not inherit its priority.
    """
    return ["chrt", "--rr", "1", *command] if _may_have_priority() else command


@cache
def _may_have_priority() -> bool:
    chrt = shutil.which("chrt")
    return chrt is not None and subprocess.run([chrt, "--rr", "1", "true"], capture_output=True).returncode == 0


def cpu_seconds(pid: int) -> float:
    """The CPU seconds of a process and its threads, in user and kernel mode (proc(5), fields 14 and 15).

    Raises Failed if it has ended: its remains would look like a process that costs nothing.
    """
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    if fields[0] in "ZX":
        raise Failed(f"the measured process ({pid}) has ended")
    return (int(fields[11]) + int(fields[12])) / TICKS


def ended(process: "subprocess.Popen[bytes]") -> str:
    """Describe how a process has ended, empty while it runs."""
    code = process.poll()
    if code is None:
        return ""
    return f"its process was ended by signal {-code}" if code < 0 else f"its process ended with {code}"


def memory_mb(pid: int) -> float:
    """The resident memory of a process in MB (proc(5), statm)."""
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * PAGE / 1e6


async def usage(pid: int, seconds: float) -> float:
    """How many percent of a core a process uses in the next `seconds`."""
    before, start = cpu_seconds(pid), time.monotonic()
    await asyncio.sleep(seconds)
    return (cpu_seconds(pid) - before) / (time.monotonic() - start) * 100


def free_port(kind: int = socket.SOCK_STREAM) -> int:
    """A port of 127.0.0.1 that is free at the moment."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def say(text: str) -> None:
    """Print a line of progress."""
    print(text, flush=True)


def run(bench: Callable[[], Awaitable[None]]) -> None:
    """Run a benchmark on the rig's core. If something is missing or fails, print one line and exit with 1."""
    try:
        with on_core(cores()[1]):
            asyncio.run(_finished(bench))
    except (Missing, Failed) as reason:
        sys.exit(str(reason))


async def _finished(bench: Callable[[], Awaitable[None]]) -> None:
    with realtime():
        await bench()
