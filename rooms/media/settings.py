"""What an operator decides about a media node."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What an operator decides about a node. `manage.py runmedia` reads it once; there are no other defaults.

    `secret` is shared with the web side: it signs grants and opens the HTTP interface. Chunks wait below `spool`.
    `bind` is the address of the sound, `announce` lists the addresses that browsers get, best first, in the forms of
    `contract/addresses.py`. A port of 0 is chosen by the system. `capacity` is the most peers. `long_above` is the load
    from which new listeners get packets of 60 ms, as a share of a core. From `most_load` on newcomers are refused; it
    is a share of a core or of the tick. `hls` is the folder for HLS files, None for no files. `hls_secret` makes the
    names of the folders in it.
    """

    secret: str
    redis_url: str
    spool: Path
    name: str
    bind: str
    port: int
    http_host: str
    http_port: int
    announce: tuple[str, ...]
    capacity: int
    long_above: float
    most_load: float
    hls: Path | None
    hls_secret: str
