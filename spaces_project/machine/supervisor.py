"""Keeps a set of processes running. It starts a dead one again, and stops all of them within five seconds.

It has one thread, so that the death of a parent (`processes.spawn`) means the death of the supervisor itself.
"""

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from spaces_project.machine.output import Console, Output
from spaces_project.machine.processes import kill_group, spawn

TICK_SECONDS = 0.1
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 30.0
STEADY_SECONDS = 60.0  # a child that ran this long gets the first pause again
# Together they stay below the five seconds in which everything has to stop. Celery's worker alone takes 2.2 s.
CHILD_STOP_SECONDS, SERVER_STOP_SECONDS = 2.8, 1.2

Starter = Callable[[IO[bytes]], subprocess.Popen[bytes]]


class StartFailed(RuntimeError):
    """A step did not succeed. The text is one line for the operator."""


@dataclass
class Child:
    """One process to keep running. `start` gets the pipe that takes its output.

    A child that `may_end` is not started again after exit 0: an operator asked it to end.
    """

    name: str
    start: Starter
    stop_signal: int = signal.SIGTERM
    may_end: bool = False
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    pause: float = FIRST_PAUSE_SECONDS
    again_at: float | None = None
    has_ended: bool = False

    @property
    def runs(self) -> bool:
        return self.process is not None and self.process.poll() is None


@dataclass
class Supervisor:
    """Starts, watches and stops children. `servers` are stopped after everything that uses them.

    `say` takes the supervisor's own messages; `output` takes those of the children, by default onto the console.
    """

    say: Callable[[str], None]
    output: Output | None = None
    servers: list[Child] = field(default_factory=list)
    children: list[Child] = field(default_factory=list)
    stopping: bool = False
    _pipes: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)

    def __post_init__(self) -> None:
        self._output: Output = self.output or Console(self.say)

    def catch_signals(self) -> None:
        """Ctrl-C, SIGTERM and a closed terminal mean: stop everything."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._stop_soon)

    def _stop_soon(self, number: int, frame: object) -> None:
        self.stopping = True

    # Starting

    def add_server(self, child: Child) -> None:
        self.servers.append(child)
        self._start(child)

    def add(self, child: Child) -> None:
        self.children.append(child)
        self._start(child)

    def run_once(self, name: str, start: Starter) -> None:
        """Run a step to its end. Raises StartFailed if it fails."""
        child = Child(name, start)
        self._start(child)
        while child.runs and not self.stopping:
            self._forward(TICK_SECONDS)
        assert child.process is not None
        if self.stopping:
            kill_group(child.process)
        if child.process.wait() and not self.stopping:
            self._forward(TICK_SECONDS)
            raise StartFailed(
                f"{name} failed (exit {child.process.returncode}). Its output is {self._output.place(name)}."
            )

    def _start(self, child: Child) -> None:
        read, write = os.pipe()
        with os.fdopen(write, "wb", buffering=0) as output:
            self._pipes.register(os.fdopen(read, "rb", buffering=0), selectors.EVENT_READ, (child.name, bytearray()))
            child.process = child.start(output)
        child.started_at, child.again_at = time.monotonic(), None

    # Watching

    def wait_until(self, ready: Callable[[], bool], seconds: float) -> bool:
        """Watch until `ready` returns True. False if `seconds` are over, or if everything has to stop."""
        deadline = time.monotonic() + seconds
        while not self.stopping and time.monotonic() < deadline:
            self._watch_once()
            if ready():
                return True
        return False

    def watch(self) -> None:
        """Keep the children running until a signal asks to stop."""
        while not self.stopping:
            self._watch_once()

    def _watch_once(self) -> None:
        self._forward(TICK_SECONDS)
        now = time.monotonic()
        for child in [*self.servers, *self.children]:
            if child.again_at is not None and now >= child.again_at:
                self._start_again(child)
            elif child.again_at is None and not child.runs and not child.has_ended:
                self._plan_restart(child, now)

    def _plan_restart(self, child: Child, now: float) -> None:
        assert child.process is not None
        kill_group(child.process)  # its remaining processes must not meet its successor
        if child.may_end and child.process.returncode == 0:
            child.has_ended = True
            self.say(f"{child.name} ended on request. It starts again with everything else.")
            return
        if now - child.started_at > STEADY_SECONDS:
            child.pause = FIRST_PAUSE_SECONDS
        child.again_at = now + child.pause
        ending, place = _ending(child.process.returncode), self._output.place(child.name)
        self.say(f"{child.name} ended ({ending}). It starts again in {child.pause:.0f} s. Its output is {place}.")
        child.pause = min(child.pause * 2, LONGEST_PAUSE_SECONDS)

    def _start_again(self, child: Child) -> None:
        try:
            self._start(child)
        except RuntimeError as error:  # an embedded server that does not start is tried again as well
            self.say(str(error))
            child.started_at = child.again_at = time.monotonic() + child.pause
            return
        self.say(f"{child.name} started again.")

    def _forward(self, seconds: float) -> None:
        """Pass on the output of the children, line by line."""
        for key, _ in self._pipes.select(seconds):
            name, rest = key.data
            data = key.fileobj.read(65536)  # type: ignore[union-attr]
            if not data:
                self._pipes.unregister(key.fileobj)
                key.fileobj.close()  # type: ignore[union-attr]
                data = b"\n" if rest else b""
            rest += data
            *lines, last = rest.split(b"\n")
            rest[:] = last
            for line in lines:
                self._output.take(name, line.decode(errors="replace"))

    # Stopping

    def stop(self) -> None:
        """Stop everything within five seconds: first what uses the servers, then the servers."""
        self.stopping = True
        for group, seconds in ((self.children, CHILD_STOP_SECONDS), (self.servers, SERVER_STOP_SECONDS)):
            self._stop_group([child for child in group if child.runs], seconds)
            group.clear()
        self._forward(0)

    def _stop_group(self, group: Sequence[Child], seconds: float) -> None:
        for child in group:
            assert child.process is not None
            child.process.send_signal(child.stop_signal)
        deadline = time.monotonic() + seconds
        while any(child.runs for child in group) and time.monotonic() < deadline:
            self._forward(TICK_SECONDS)
        for child in group:
            assert child.process is not None
            if child.runs:
                self.say(f"{child.name} did not stop within {seconds} s. It is killed.")
            kill_group(child.process)
            child.process.wait()


def _ending(code: int) -> str:
    return f"exit {code}" if code >= 0 else f"killed by {signal.Signals(-code).name}"


def python(
    *arguments: str, environment: Mapping[str, str], folder: Path, death_signal: int = signal.SIGTERM
) -> Starter:
    """A Starter of `python ARGUMENTS` in `folder` with `environment` added to this process's own."""

    def start(output: IO[bytes]) -> subprocess.Popen[bytes]:
        return spawn(
            [sys.executable, *arguments],
            death_signal,
            cwd=folder,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
        )

    return start
