"""The settings of media nodes in tests."""

from pathlib import Path
from typing import Any

from rooms.media.settings import Settings
from tests.rig.media.web import SECRET


def node_settings(**changes: Any) -> Settings:
    """A node on loopback with free ports, but for the named settings. However busy the process is, it takes newcomers.

    Without a `redis_url` it reaches no Redis. A `spool` is needed by a whole node, not by an engine alone.
    """
    usual: dict[str, Any] = {
        "secret": SECRET,
        "redis_url": "unix:///none",
        "spool": Path("none"),
        "name": "n1",
        "bind": "127.0.0.1",
        "port": 0,
        "http_host": "127.0.0.1",
        "http_port": 0,
        "announce": ("127.0.0.1",),
        "capacity": 1000,
        "long_above": 2.0,
        "most_load": 20.0,
        "hls": None,
        "hls_secret": "",
    }
    return Settings(**usual | changes)
