"""When a node looks for cyclic garbage: each look is a pause of the sound, so most are short and the long one is rare.

A peer that is gone is garbage that only a look through everything finds, since library objects in it refer to each
other in circles. Such a look takes more than a tick among 1,000 peers, and is taken once as many are gone as are there.
"""

import gc

YOUNG, MIDDLE = 2000, 2  # objects, and looks at the young ones per look at those that outlived one
NEVER = 1_000_000  # looks at the middle ones before the interpreter looks through everything by itself
LEAST_GONE = 200  # peers
LONGEST_SECONDS = 3600.0  # after which everything is looked through anyhow


def shorten_pauses() -> None:
    """Let the interpreter look often at what is young, and never by itself at what lives long."""
    gc.set_threshold(YOUNG, MIDDLE, NEVER)


class Garbage:
    """Says when to look through everything. Times are seconds of one clock."""

    def __init__(self, now: float) -> None:
        self._gone, self._at = 0, now

    def is_due(self, gone: int, peers: int, now: float) -> bool:
        """Whether it is worth it: ``gone`` peers have left since the start, ``peers`` are there."""
        return gone - self._gone >= max(LEAST_GONE, peers) or now - self._at >= LONGEST_SECONDS

    def collect(self, gone: int, now: float) -> None:
        """Look through everything."""
        gc.collect()
        self._gone, self._at = gone, now
