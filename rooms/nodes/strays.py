"""Drops peers that media nodes hold for people who are not in the Space, found by comparing with the rows.

A page that closed its websocket and kept its peer would go on hearing without being counted. Nodes get a hint when a
person leaves (`standing.left`). This sweep finds the peers of people whose hint was lost.
"""

import asyncio
from uuid import UUID

import aiohttp
import structlog

from rooms.media.contract.held import Peers
from rooms.models import Participant, Space
from rooms.nodes import http, placement

AT_ONCE = 8  # calls under way per node

log = structlog.get_logger(__name__)


def drop_strays() -> int:
    """Drop every peer whose participant is not in that Space. Returns how many there were. Safe to repeat.

    The rows are read after the nodes have answered, so they have everyone who came before. A person who comes back
    before the peer is dropped loses the sound, and their page reconnects automatically.
    """
    places = [(f"{node.url}/spaces/{space}/peers", space) for node in placement.nodes() for space in node.spaces]
    if not places:
        return 0
    connected = asyncio.run(_connected([url for url, _ in places]))
    strays = [
        f"{url}/{participant}"
        for (url, space), here in zip(places, connected, strict=True)
        for participant in here.participants - _present(space)
    ]
    if strays:
        log.info("strays_dropped", number=len(strays))
        asyncio.run(_drop(strays))
    return len(strays)


def _present(space: str) -> set[str]:
    present = Participant.objects.present().filter(space=UUID(space), space__state=Space.State.LIVE)
    return {str(pk) for pk in present.values_list("pk", flat=True)}


async def _connected(urls: list[str]) -> list[Peers]:
    async with http.client(at_once=AT_ONCE) as client:
        return await asyncio.gather(*(_ask(client, url) for url in urls))


async def _ask(client: aiohttp.ClientSession, url: str) -> Peers:
    """The peers of one Space on one node. None are known if the node does not answer."""
    answer = await http.fetch(client, url, Peers)
    if answer is None:
        log.warning("peers_not_known", url=url)
        return Peers()
    return answer


async def _drop(urls: list[str]) -> None:
    async with http.client(at_once=AT_ONCE) as client:
        await asyncio.gather(*(_delete(client, url) for url in urls))


async def _delete(client: aiohttp.ClientSession, url: str) -> None:
    if await http.call(client, "DELETE", url) is None:
        log.warning("stray_not_dropped", url=url)  # the next sweep tries again
