"""Whether a node takes newcomers: the measured load of its core and its ticks against a limit.

No connected peer is ever dropped for load. People on the stage, and people who were here a moment ago, are let in up to
the hard capacity. Everyone else is let in while ticks have time left, and never to the last places.
"""

from collections.abc import Sequence

from rooms.media.clock import TICK_SECONDS, percentile

MEASURED_SECONDS = 4.0  # of ticks
TICKS_PERCENT = 90  # the percentile that counts: a single tick that the machine delayed says nothing about the node
RELIEF = 0.1  # how far the load has to fall below the limit before newcomers are taken again
LAST_PLACES = 50  # one place in this many is kept for people who are let in before newcomers


class Admission:
    """Decides who is let in. From `most` on, a share of a core or of a tick, newcomers are refused."""

    def __init__(self, most: float, capacity: int) -> None:
        self.most, self.capacity = most, capacity
        self.places = capacity - capacity // LAST_PLACES  # for newcomers
        self.busy = 0.0
        self.is_busy = False

    def weigh(self, load: float, durations: Sequence[float]) -> None:
        """Note the share of its core that the node uses, and the seconds that its latest ticks took."""
        self.busy = max(load, percentile(durations, TICKS_PERCENT) / TICK_SECONDS)
        self.is_busy = self.busy >= self.most - (RELIEF if self.is_busy else 0.0)

    def refusal(self, peers: int, preferred: bool) -> str:
        """Why one more peer beside `peers` is refused, empty if it is taken."""
        places = self.capacity if preferred else self.places
        if peers >= places:
            return f"this node takes {places} peers"
        if self.is_busy and not preferred:
            return f"this node is {self.busy:.0%} busy and takes newcomers below {self.most:.0%}"
        return ""
