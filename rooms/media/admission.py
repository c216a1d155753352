"""Whether a node takes newcomers: what its core and its ticks have to do, measured, against a limit.

Nobody who is inside is ever put out. Who speaks, and who was here a moment ago, is let in up to the hard capacity;
everybody else only while there is time left in every tick and while the last places are not touched.
"""

from collections.abc import Sequence

from rooms.media.clock import TICK_SECONDS, percentile

MEASURED_SECONDS = 4.0  # of ticks
TICKS_PERCENT = 90  # so many of them took no longer: one that was held up by the machine says nothing of the node
RELIEF = 0.1  # by which the load has to fall below the limit before newcomers are taken again
LAST_PLACES = 50  # one place of so many is kept for those who are let in before others


class Admission:
    """``most`` is the share of a core, and of a tick, from which on newcomers are refused."""

    def __init__(self, most: float, capacity: int) -> None:
        self.most, self.capacity = most, capacity
        self.places = capacity - capacity // LAST_PLACES  # for everybody
        self.busy = 0.0
        self.is_busy = False

    def weigh(self, load: float, durations: Sequence[float]) -> None:
        """Note which share of its core the node uses, and the seconds that its latest ticks took."""
        self.busy = max(load, percentile(durations, TICKS_PERCENT) / TICK_SECONDS)
        self.is_busy = self.busy >= self.most - (RELIEF if self.is_busy else 0.0)

    def refusal(self, peers: int, preferred: bool) -> str:
        """Why one more peer beside so many is not taken; empty where he is."""
        places = self.capacity if preferred else self.places
        if peers >= places:
            return f"this node takes {places} peers"
        if self.is_busy and not preferred:
            return f"this node has {self.busy:.0%} to do, and takes newcomers below {self.most:.0%}"
        return ""
