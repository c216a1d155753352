"""What a media node answers about itself."""

import msgspec


class Percentiles(msgspec.Struct, frozen=True):
    """Milliseconds that half and 99 % of the ticks stayed below."""

    p50: float
    p99: float

    def __str__(self) -> str:
        return f"{self.p50} ms (99 %: {self.p99} ms)"


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """Answer to `GET /health`. `boot` is the id of this start of the node called `node`.

    `load` is a share of a core, 0 to 1. `tick_ms` is how long ticks took, `late_ms` how late they began. All other
    numbers count since the start of the node, except `spaces`, `peers`, `spool` (chunks that wait for the storage) and
    `tasks`.
    """

    node: str
    boot: str
    spaces: int
    peers: int
    load: float
    full: bool
    joins: int
    restarts: int
    sent: int
    dropped: int
    drops: dict[str, int]
    overflowed: int
    tick_ms: Percentiles
    late_ms: Percentiles
    missed_ticks: int
    failed_ticks: int
    spool: int
    pieces_dropped: int
    tasks: int
