"""When a node collects cyclic garbage: each collection pauses the sound, so most are short and full ones are rare.

Objects of libraries in a peer refer to each other in circles, so only a full collection frees a peer that is gone. With
1,000 peers it takes longer than a tick. It runs once as many peers have left as are still there.
"""

import gc

YOUNG, MIDDLE = 2000, 2  # new objects per young collection, and young collections per middle one
NEVER = 1_000_000  # middle collections before the interpreter would run a full one on its own
LEAST_GONE = 200  # peers
LONGEST_SECONDS = 3600.0  # after which a full collection runs anyway


def shorten_pauses() -> None:
    """Let the interpreter collect young objects often, and never run a full collection on its own."""
    gc.set_threshold(YOUNG, MIDDLE, NEVER)


class Garbage:
    """Says when a full collection is due. Times are seconds of one clock."""

    def __init__(self, now: float) -> None:
        self._gone, self._at = 0, now

    def is_due(self, gone: int, peers: int, now: float) -> bool:
        """Whether to run one now: `gone` peers have left since the start, `peers` are there."""
        return gone - self._gone >= max(LEAST_GONE, peers) or now - self._at >= LONGEST_SECONDS

    def collect(self, gone: int, now: float) -> None:
        """Run a full collection."""
        gc.collect()
        self._gone, self._at = gone, now
