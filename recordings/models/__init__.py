"""The recording of a Space: its tracks and chunks, what keeps it (holds), and what proves that it is gone (receipts).

Only verbs change these rows. A verb that changes a recording holds the lock on its row.
"""

from recordings.models.hold import Hold
from recordings.models.mixable import ClaimLost
from recordings.models.receipt import Receipt
from recordings.models.recording import Recording
from recordings.models.track import Chunk, Track

__all__ = ["Chunk", "ClaimLost", "Hold", "Receipt", "Recording", "Track"]
