"""How a participant's connection is, in a word: from what the browser reports, and from how their sound arrives.

The word gets worse at once and better only after a while, so that it does not flicker. Loss counts only over a second's
worth of packets.
"""

from enum import IntEnum
from typing import NamedTuple

from rooms.media.contract.held import Reception
from rooms.media.contract.hints import Way, Why, Word
from rooms.media.network.source import Source

# Where fair and poor begin: share of packets lost, jitter and round trip in ms. Error correction and concealment hide
# about 3 % of loss. Jitter beyond 40 ms makes buffers deep. From a round trip of 400 ms on people interrupt each other
# (ITU-T G.114: at most 400 ms one way, below 150 ms not noticed).
LOSS, JITTER_MS, ROUND_TRIP_MS = (0.03, 0.10), (40.0, 100.0), (400.0, 1000.0)
MIN_PACKETS = 50  # before the share of lost ones means anything
CALM_SECONDS = 8.0  # for which the figures have to be better before the word gets better
# After this the report of a browser is out of date. Browsers report at least every 7.5 s (RFC 3550 section 6.2), so one
# report may be lost.
STALE_SECONDS = 15.0
SPOKE_SECONDS = 3.0  # the same for sound that a participant has stopped sending
SILENT_SECONDS = 1.5  # without a packet after which sound does not arrive; with DTX there are two packets a second
TELL_SECONDS = 1.0  # between two words to the same person, at least
REPEAT_SECONDS = 10.0  # before a word that is not good is repeated: the page may have missed it


class Quality(IntEnum):
    """Quality of a connection. A worse one is a higher number."""

    GOOD = 0
    FAIR = 1
    POOR = 2


_WORDS: dict[Quality, Word] = {Quality.GOOD: "good", Quality.FAIR: "fair", Quality.POOR: "poor"}


class State(NamedTuple):
    """The quality that a participant sees. The fields mean what they mean in `ConnectionState`."""

    quality: Quality
    why: Why
    way: Way
    arrives: bool

    @property
    def words(self) -> tuple[Word, Why, Way, bool]:
        """The same with the quality as a word."""
        return _WORDS[self.quality], self.why, self.way, self.arrives


class Grade(NamedTuple):
    """A quality and its cause."""

    quality: Quality = Quality.GOOD
    why: Why = ""


def grade(loss: float, jitter_ms: float, round_trip_ms: float | None) -> Grade:
    """The worst grade of the three. Of equals, loss comes before jitter before delay."""
    grades = (
        Grade(_quality(loss, LOSS), "loss"),
        Grade(_quality(jitter_ms, JITTER_MS), "jitter"),
        Grade(_quality(round_trip_ms or 0.0, ROUND_TRIP_MS), "delay"),
    )
    worst = max(grades, key=lambda one: one.quality)
    return worst if worst.quality else Grade()


def _quality(value: float, limits: tuple[float, float]) -> Quality:
    return Quality(sum(value >= limit for limit in limits))


class Direction:
    """One direction of the sound."""

    def __init__(self) -> None:
        self.grade = Grade()
        self.loss = 0.0
        self.at: float | None = None  # when it was judged last
        self._counted: tuple[int, int] | None = None
        self._worse_at = 0.0

    def judge(self, expected: int, lost: int, jitter_ms: float, round_trip_ms: float | None, now: float) -> None:
        """Grade what is known now. `expected` and `lost` are counts since some packet in the past."""
        self._count(expected, lost)
        found = grade(self.loss, jitter_ms, round_trip_ms)
        if found.quality == self.grade.quality:
            self._worse_at = now
        elif found.quality > self.grade.quality or now - self._worse_at >= CALM_SECONDS:
            self.grade, self._worse_at = found, now
        self.at = now

    def _count(self, expected: int, lost: int) -> None:
        if self._counted is None or expected < self._counted[0]:
            self._counted = expected, lost
        packets = expected - self._counted[0]
        if packets >= MIN_PACKETS:
            self.loss = max(0.0, (lost - self._counted[1]) / packets)
            self._counted = expected, lost

    def now(self, now: float, stale: float) -> Grade:
        """The grade, good if it was last given `stale` seconds ago or more."""
        return self.grade if self.at is not None and now - self.at < stale else Grade()


class Connection:
    """What to tell one participant about the connection. Times are seconds of the node's clock."""

    def __init__(self) -> None:
        self._hears, self._speaks = Direction(), Direction()
        self._arrives = True
        self._open_since: float | None = None
        self._sent: State | None = None
        self._sent_at = 0.0

    def on_reception(self, report: Reception, now: float) -> None:
        """Note the latest report of the browser."""
        self._hears.judge(report.expected, report.lost, report.jitter_ms, report.round_trip_ms, now)

    def on_source(self, source: Source, now: float) -> None:
        """Note how the participant's own sound arrives."""
        self._speaks.judge(source.expected, source.expected - source.received, source.jitter_ms, None, now)

    def watch(self, is_open: bool, source: Source | None, now: float) -> None:
        """Check whether the sound of an open microphone arrives."""
        if not is_open:
            self._open_since, self._arrives = None, True
            return
        if self._open_since is None:
            self._open_since = now
        last_at = max(self._open_since, source.last_at) if source else self._open_since
        self._arrives = now - last_at < SILENT_SECONDS

    def news(self, now: float) -> State | None:
        """What to tell the participant now, None for nothing."""
        state = self._state(now)
        waits = REPEAT_SECONDS if state == self._sent else TELL_SECONDS
        is_good = state.quality is Quality.GOOD and state.arrives
        if now - self._sent_at < waits or (is_good and (state == self._sent or not self._is_known)):
            return None
        self._sent, self._sent_at = state, now
        return state

    @property
    def _is_known(self) -> bool:
        """Whether anything was ever reported or sent."""
        return self._sent is not None or self._hears.at is not None or self._speaks.at is not None

    def _state(self, now: float) -> State:
        hears, speaks = self._hears.now(now, STALE_SECONDS), self._speaks.now(now, SPOKE_SECONDS)
        if speaks.quality > hears.quality:
            return State(*speaks, way="out", arrives=self._arrives)
        return State(*hears, way="in" if hears.quality else "", arrives=self._arrives)
