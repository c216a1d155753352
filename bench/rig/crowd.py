"""All peers of a benchmark and their clock: speakers, sinks, and one listener in fifty that checks everything."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

from bench.rig.machine import Failed
from bench.rig.peers import Checker, Peer
from rooms.media.client.peer import CONSENT_SECONDS
from rooms.media.clock import TICK_SECONDS, Ticker

CHECKED = 50  # one listener in this many checks what it gets
JOINING = 16  # peers that join at the same time
MOST_UNHEARD_PCT = 5.0  # of the sound of a speaker who talks all the time
PATIENCE = 30.0  # seconds for one peer to be connected
Join = Callable[[Peer], Awaitable[None]]
AnyPeer = TypeVar("AnyPeer", bound=Peer)


class Crowd:
    """`async with Crowd() as crowd` ticks all peers and closes them at the end. `options` are those of each Peer."""

    def __init__(self, **options: Any) -> None:
        self.options = options
        self.checkers: list[Checker] = []
        self._sinks: list[Peer] = []
        self._ticked: dict[Peer, None] = {}
        self._next_sink = 0.0
        self._joining = asyncio.Semaphore(JOINING)

    async def __aenter__(self) -> Self:
        self._ticker = Ticker(asyncio.get_running_loop(), self._tick)
        self._ticker.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ticker.stop()
        await asyncio.gather(*(peer.close() for peer in (*self._ticked, *self._sinks)))

    def _tick(self, now: float, missed: int) -> None:
        for peer in self._ticked:
            peer.tick(now)
        self._check_consent()

    def _check_consent(self) -> None:
        """Send the checks of the sinks, each every CONSENT_SECONDS, some with each tick."""
        if not self._sinks:
            return
        start = self._next_sink
        self._next_sink += len(self._sinks) * TICK_SECONDS / CONSENT_SECONDS
        for place in range(int(start), int(self._next_sink)):
            self._sinks[place % len(self._sinks)].check()

    @property
    def missed(self) -> int:
        """How many ticks the rig itself has missed since the last `reset`."""
        return self._ticker.missed

    @property
    def late(self) -> float:
        """How late ticks of the rig itself began since the last `reset`, in seconds at most."""
        return max(self._ticker.delays, default=0.0) + self.missed * TICK_SECONDS

    async def connect(self, peer: AnyPeer, join: Join) -> AnyPeer:
        """Connect one peer and tick it from now on. Raises Failed after PATIENCE."""
        peer.start()
        self._ticked[peer] = None
        await join(peer)
        try:
            await peer.connected(PATIENCE)
        except TimeoutError:
            raise Failed(f"a peer did not get through its handshake within {PATIENCE:.0f} s") from None
        return peer

    async def speak(self, join: Join, packets: Sequence[bytes]) -> Peer:
        """Connect a speaker who repeats these packets of 20 ms."""
        peer = await self.connect(Peer(**self.options), join)
        peer.speak(packets)
        return peer

    async def listen(self, join: Join, count: int) -> None:
        """Connect `count` listeners: sinks, and some checkers among them."""
        await asyncio.gather(*(self._listen(join, number) for number in range(count)))

    async def _listen(self, join: Join, number: int) -> None:
        async with self._joining:
            if number % CHECKED == 0:
                self.checkers.append(await self.connect(Checker(**self.options), join))
            else:
                self.sink(await self.connect(Peer(**self.options), join))

    def sink(self, peer: Peer) -> None:
        """Let a connected peer stop reading."""
        del self._ticked[peer]
        peer.become_sink()
        self._sinks.append(peer)

    def reset(self) -> None:
        """Forget what the checkers have received so far, as before a measurement."""
        self._ticker.missed = 0
        self._ticker.delays.clear()
        for checker in self.checkers:
            checker.reset()

    def hearing(self) -> "Hearing":
        """What the checkers have received since the last `reset`."""
        return Hearing(self.checkers, time.monotonic())


class Hearing:
    """What all checkers of a crowd received up to `now`, in seconds of the monotonic clock."""

    def __init__(self, checkers: Sequence[Checker], now: float) -> None:
        self.packets = sum(checker.received.packets for checker in checkers)
        self.expected = sum(checker.received.expected for checker in checkers)
        self.broken = sum(checker.received.malformed + checker.undecodable for checker in checkers)
        self.audible = sum(checker.audible for checker in checkers)
        self.span = sum(checker.span + checker.unheard(now) for checker in checkers)
        self.heard_samples = sum(checker.heard_samples for checker in checkers)
        self.lengths = {length for checker in checkers for length in checker.frames}  # of packets, in ms
        self.payloads = list(checkers[0].payloads) if checkers else []

    @property
    def loss_pct(self) -> float:
        """Percent of the packets that did not arrive."""
        return 100.0 * (1 - self.packets / self.expected) if self.expected else 100.0

    @property
    def left_out_pct(self) -> float:
        """Percent of the time without a packet: lost on the way, or never sent."""
        return 100.0 * (1 - self.heard_samples / self.span) if self.span else 100.0

    @property
    def shortfall(self) -> str:
        """Describe what was received if the server did not do its work, empty if it did."""
        worst = max(self.loss_pct, self.left_out_pct, 100 - self.audible_pct)
        return str(self) if worst > MOST_UNHEARD_PCT or self.broken else ""

    @property
    def audible_pct(self) -> float:
        """Percent of the packets with audible sound."""
        return 100.0 * self.audible / max(1, self.packets)

    def __str__(self) -> str:
        lengths = "/".join(map(str, sorted(self.lengths))) or "no"
        return (
            f"{self.packets} packets of {lengths} ms checked, {self.loss_pct:.3f} % lost, "
            f"{self.left_out_pct:.3f} % of the time without one, {self.broken} broken, "
            f"{self.audible_pct:.0f} % audible"
        )
