"""The sound of a Space on disk: recording, tracks, chunks; what keeps it (holds) and what proves that it is gone.

The verbs here are the only way to change one. Whoever changes a recording holds the lock on its row.
"""

from recordings.models.hold import Hold
from recordings.models.mixable import ClaimLost
from recordings.models.receipt import Receipt
from recordings.models.recording import Recording
from recordings.models.track import Chunk, Track

__all__ = ["Chunk", "ClaimLost", "Hold", "Receipt", "Recording", "Track"]
