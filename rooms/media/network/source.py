"""Statistics of the sound that one browser sends, for the reports to it (RFC 3550 sections 6.4 and A)."""

from aiortc.rtp import RtcpReceiverInfo

from rooms.media.network import rtp
from rooms.media.numbers import Unwrapper
from rooms.media.units import SAMPLE_RATE

MAX_STEP = 3000  # sequence numbers; a larger step restarts the counts (MAX_DROPOUT in RFC 3550 section A.1)
MAX_SWING = SAMPLE_RATE  # samples; a larger difference is a clock that was set, not jitter


class Source:
    """Statistics of one SSRC. Times are seconds of the node's clock.

    `expected` and `received` count packets since the first one. `jitter_ms` is the mean deviation of the transit times
    (section 6.4.1). `reported_at` is when the last report was made.
    """

    def __init__(self, ssrc: int, now: float) -> None:
        self.ssrc = ssrc
        self.received = 0
        self.last_at = self.reported_at = now
        self._sequences, self._timestamps = Unwrapper(16), Unwrapper(32)
        self._first: int | None = None
        self._highest = 0
        self._transit: float | None = None
        self._jitter = 0.0  # samples
        self._before = (0, 0)  # expected and received when the last report was made
        self._asked: tuple[int, float] | None = None  # NTP time (middle) of its last report; arrival

    @property
    def expected(self) -> int:
        """How many packets were sent, by their sequence numbers."""
        return 0 if self._first is None else self._highest - self._first + 1

    @property
    def jitter_ms(self) -> float:
        """The interarrival jitter."""
        return self._jitter * 1000 / SAMPLE_RATE

    def count(self, packet: rtp.RtpPacket, now: float) -> None:
        """Note a packet that arrived at `now`. libsrtp has rejected replays."""
        sequence = self._sequences.unwrap(packet.sequence)
        if self._first is None or abs(sequence - self._highest) > MAX_STEP:
            self._begin(sequence)
        self._highest = max(self._highest, sequence)
        self.received += 1
        self.last_at = now
        self._follow(now * SAMPLE_RATE - self._timestamps.unwrap(packet.timestamp))

    def _begin(self, sequence: int) -> None:
        self._first = self._highest = sequence
        self.received, self._before = 0, (0, 0)

    def _follow(self, transit: float) -> None:
        """Update the jitter (RFC 3550 section A.8)."""
        swing = abs(transit - self._transit) if self._transit is not None else 0.0
        self._transit = transit
        if swing < MAX_SWING:
            self._jitter += (swing - self._jitter) / 16

    def on_sender_report(self, middle: int, now: float) -> None:
        """Note the NTP time of the browser's sender report, its middle 32 bits."""
        self._asked = middle, now

    def report(self, now: float) -> RtcpReceiverInfo | None:
        """The report block, None if nothing has arrived since the last one."""
        expected, received = self.expected - self._before[0], self.received - self._before[1]
        if not received:
            return None
        self._before, self.reported_at = (self.expected, self.received), now
        lost = max(0, expected - received)
        asked, delay = (self._asked[0], now - self._asked[1]) if self._asked else (0, 0.0)
        return RtcpReceiverInfo(
            ssrc=self.ssrc,
            fraction_lost=min(255, lost * 256 // expected) if lost else 0,
            packets_lost=max(-(1 << 23), min(self.expected - self.received, (1 << 23) - 1)),
            highest_sequence=self._highest & 0xFFFFFFFF,
            jitter=round(self._jitter),
            lsr=asked,
            dlsr=min(round(delay * 65536), 0xFFFFFFFF),
        )
