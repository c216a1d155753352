"""The media nodes that one machine runs: how many, on which ports, under which names."""

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings

from rooms.management.options import MOST_PORT

MOST = 64


class NoSuchPort(ValueError):
    """There are not enough ports above the first one. The text says so."""


@dataclass(frozen=True)
class MediaNode:
    """One node: its name among the children of `runspaces`, its UDP and HTTP ports, its own name."""

    child: str
    port: int
    http_port: int
    name: str

    @property
    def arguments(self) -> list[str]:
        """The arguments of `runmedia`."""
        return ["--port", str(self.port), "--http-port", str(self.http_port), "--name", self.name]


def of(count: int, ports: Mapping[str, int]) -> list[MediaNode]:
    """That many nodes, or one per core but one for 0. Their ports begin at `ports["media"]` and `ports["media_http"]`.

    Raises NoSuchPort.
    """
    wanted = count or max(1, len(os.sched_getaffinity(0)) - 1)
    first, http = ports["media"], ports["media_http"]
    if max(first, http) + wanted - 1 > MOST_PORT:
        raise NoSuchPort(
            f"{wanted} media nodes need ports up to {max(first, http) + wanted - 1}; the last is {MOST_PORT}."
        )
    return [_node(place, wanted, first + place, http + place) for place in range(wanted)]


def _node(place: int, wanted: int, port: int, http_port: int) -> MediaNode:
    number = f"-{place + 1}" if wanted > 1 else ""
    name = f"{settings.MEDIA_NAME}{number}" if settings.MEDIA_NAME else f"{platform.node()}-{port}"
    return MediaNode(f"media{number}", port, http_port, name)
