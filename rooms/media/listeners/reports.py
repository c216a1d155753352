"""Sender reports to listeners (RFC 3550 section 6.4.1), some in each round: they cost more than packets of sound."""

from collections.abc import Callable

from rooms.media.listeners.fanout import FanOut
from rooms.media.network.peer import Peer

REPORT_TICKS = 500  # between two reports to a listener, each of which costs as much as five packets
REPORT_ROUNDS = 50  # in that time. A round reports to many listeners: a single report costs twice as much


class Reports:
    """Reports to every listener each ten seconds. `clock` gives seconds, as `now` does everywhere."""

    def __init__(self, fanout: FanOut, clock: Callable[[], float]) -> None:
        self._fanout, self._clock = fanout, clock
        self._ticked_at = clock()  # when the latest tick was due, the moment of the fan-out's clock
        self._ticks = 0

    def begin_tick(self, now: float) -> None:
        """Note that the fan-out's clock stands at `now`."""
        self._ticked_at = now

    def end_tick(self) -> None:
        """Report to the listeners of this round, if one is due."""
        self._ticks += 1
        round_, rest = divmod(self._ticks, REPORT_TICKS // REPORT_ROUNDS)
        if rest:
            return
        for row in range(round_ % REPORT_ROUNDS, len(self._fanout), REPORT_ROUNDS):
            peer = self._fanout.listener(row)
            assert isinstance(peer, Peer)
            self.send(peer)

    def send(self, peer: Peer) -> None:
        """Report to a connected peer what time it is, in the node's time and in RTP's.

        Both are of the moment at which the report leaves, not of the tick. Otherwise the lateness of a tick and the
        time that it takes would count as a part of the round trip.
        """
        now = self._clock()
        peer.report(now, *self._fanout.progress(peer.row, now - self._ticked_at))
