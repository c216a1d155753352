"""What an engine gives away, and what all Spaces of a node share."""

from collections.abc import Callable
from dataclasses import dataclass

from rooms.media.capture.tap import Chunk
from rooms.media.contract.hints import Hint
from rooms.media.hls.feed import Send
from rooms.media.listeners.fanout import FanOut


@dataclass(frozen=True)
class Outputs:
    """Where an engine gives things away. Each call returns at once.

    `hint` takes hints for the web side, `submit` closed chunks, `write` pieces of the mix for HLS; without `write`
    there are no files.
    """

    hint: Callable[[Hint], None]
    submit: Callable[[Chunk], None]
    write: Send | None = None


@dataclass(frozen=True)
class Shared:
    """What all Spaces of one node share. `boot` is the id of this start of the node.

    `wall` is how many seconds Unix time is ahead of the engine's clock.
    """

    fanout: FanOut
    outputs: Outputs
    boot: str
    wall: float
