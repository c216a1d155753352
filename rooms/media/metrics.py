"""The metrics of a node for Prometheus, read from the engine on each request, so the tick counts nothing twice.

Their names begin with `spaces_media_`; the usual metrics of the process come with them. They are made in the thread of
the tick, so it has to be short: two or three milliseconds for 1,000 listeners.
"""

from collections.abc import Iterable, Iterator
from typing import Protocol

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from rooms.media.clock import percentile
from rooms.media.contract.held import VOICE_COUNTS
from rooms.media.engine import Engine

PREFIX = "spaces_media_"
QUANTILES = (0.5, 0.99)
VOICE_MEANINGS = {
    "received": "Packets received from voices.",
    "lost": "Packets of voices that never arrived, or arrived too late.",
    "late": "Lost packets of voices that arrived too late.",
    "concealed": "Pieces of voices that the decoder had to invent.",
    "duplicates": "Packets of voices that had arrived before.",
    "overfull": "Packets of voices for which the jitter buffer had no room.",
    "malformed": "Packets of voices that are not Opus.",
    "jumps": "Streams of voices that restarted at a distant timestamp.",
}


class Waiting(Protocol):
    """The chunks that wait for the storage."""

    @property
    def waiting(self) -> int:
        """How many there are."""


class Node(Protocol):
    """The node that the metrics describe."""

    engine: Engine
    draining: bool

    @property
    def pieces_dropped(self) -> int:
        """Pieces of the mix that the HLS writer did not take."""

    @property
    def spool(self) -> Waiting:
        """The chunks on their way to the storage."""


def registry(node: Node) -> CollectorRegistry:
    """The registry that `generate_latest` turns into text."""
    made = CollectorRegistry()
    made.register(Collector(node))
    ProcessCollector(registry=made)
    return made


class Collector:
    """All metrics of one node. Counters never go down while the node runs, even if peers leave."""

    def __init__(self, node: Node) -> None:
        self._node, self._engine = node, node.engine

    def collect(self) -> Iterator[Metric]:
        """Read everything."""
        yield from self._state()
        yield from self._sending()
        yield from self._clock()
        yield from self._listening()
        yield from self._speaking()

    def _state(self) -> Iterator[Metric]:
        engine = self._engine
        yield _gauge("spaces", "Spaces on this node.", len(engine.spaces))
        yield _gauge("peers", "Peers, connected or about to be.", engine.peers)
        yield _gauge("connected", "Peers that sound is sent to.", len(engine.fanout))
        yield _gauge("capacity", "Peers that this node takes.", engine.settings.capacity)
        yield _gauge("load", "Share of its core that the process uses, 0 to 1.", engine.load)
        yield _gauge("full", "1 while the node refuses newcomers, else 0.", int(engine.is_full))
        yield _gauge("draining", "1 while the node gets no more Spaces, else 0.", int(self._node.draining))
        yield _gauge("spool_files", "Chunks on the node's disk that wait for the storage.", self._node.spool.waiting)

    def _sending(self) -> Iterator[Metric]:
        engine = self._engine
        yield _counter("joins", "Offers that were answered.", engine.joins)
        yield _counter("restarts", "ICE restarts that were answered, after changes of networks.", engine.restarts)
        yield _counter("packets_sent", "Packets of sound that the kernel took.", engine.fanout.sent)
        yield _counter("packets_not_taken", "Packets of sound that the kernel did not take.", engine.fanout.dropped)
        yield _counter(
            "packets_overflowed", "Packets that arrived while the port's queue was full.", engine.port.overflowed
        )
        yield _counter("pieces_dropped", "Pieces of the mix that did not become HLS files.", self._node.pieces_dropped)
        drops = CounterMetricFamily(f"{PREFIX}drops", "Packets that were thrown away, by cause.", labels=["cause"])
        for cause, number in sorted(engine.all_drops.items()):
            drops.add_metric([cause], number)
        yield drops

    def _clock(self) -> Iterator[Metric]:
        ticker, failed = self._engine.ticker, self._engine.failed_ticks
        yield _counter("ticks_failed", "Ticks of single Spaces that failed, by a fault of the node.", failed)
        if ticker is None:
            return
        yield _quantiles("tick_seconds", "How long ticks took, over the last minute.", ticker.durations)
        yield _quantiles("tick_late_seconds", "How late ticks began, over the last minute.", ticker.delays)
        yield _counter("ticks_missed", "Ticks left out because the process did not run.", ticker.missed)

    def _listening(self) -> Iterator[Metric]:
        reports = self._engine.receptions
        trips = [one.round_trip_ms / 1000 for one in reports if one.round_trip_ms is not None]
        losses, jitter = [one.loss for one in reports], [one.jitter_ms / 1000 for one in reports]
        yield _quantiles("loss_ratio", "Packets lost on the way to a peer, 0 to 1, by its latest report.", losses)
        yield _quantiles("jitter_seconds", "Jitter on the way to a peer, by its latest report.", jitter)
        yield _quantiles("round_trip_seconds", "Round trip to a peer, by its latest report.", trips)

    def _speaking(self) -> Iterator[Metric]:
        counted = self._engine.voice_counts
        for name in VOICE_COUNTS:
            yield _counter(f"voice_{name}", VOICE_MEANINGS[name], counted[name])


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(PREFIX + name, meaning, value=value)


def _counter(name: str, meaning: str, value: float) -> Metric:
    return CounterMetricFamily(PREFIX + name, meaning, value=value)


def _quantiles(name: str, meaning: str, values: Iterable[float]) -> Metric:
    """A gauge for each of QUANTILES, none without values."""
    family, known = GaugeMetricFamily(PREFIX + name, meaning, labels=["quantile"]), list(values)
    for share in QUANTILES if known else ():
        family.add_metric([str(share)], percentile(known, share * 100))
    return family
