"""What an operator decides about a node's engine."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Config:
    """What an operator decides about a node.

    ``announce`` names the addresses put into answers, best first, in the forms of ``addresses``.

    From a load of ``long_above`` on, a share of a core, those who join get packets of 60 ms, and from ``most_load`` on
    newcomers are refused. ``boot`` names this start of the node, as standings do. ``hls_secret`` makes the names of the
    folders of those who hear files.
    """

    secret: str
    announce: Sequence[str] = ("127.0.0.1",)
    capacity: int = 2000
    long_above: float = 2.0
    most_load: float = 20.0
    boot: str = ""
    hls_secret: str = ""
