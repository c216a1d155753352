"""HLS listeners, as the web side publishes them: which node writes the files."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from rooms.media.contract import standing
from rooms.media.hls.messages import Ended, Piece
from rooms.media.hls.signature import folder
from rooms.media.node import Node
from tests.rig.media.web import Running, Web
from tests.rooms.media.conftest import SPACE, until


def writing(node: Node) -> list[Piece | Ended]:
    """What the node hands to its writer from now on."""
    written: list[Piece | Ended] = []
    node.engine.outputs = replace(node.engine.outputs, write=written.append)
    return written


async def demand(web: Web, boot: str) -> None:
    await publish_to_node(web, standing.FILES, f"{SPACE} {boot}")


async def publish_to_node(web: Web, channel: str, text: str) -> None:
    """Publish it to a node that listens by now."""
    async with asyncio.timeout(10):
        while not await web.redis.publish(channel, text):  # noqa: ASYNC110 -- what is waited for is a node
            await asyncio.sleep(0.001)


async def test_the_meant_boot_writes_the_files_of_a_space(running: Running, web: Web) -> None:
    async with running() as (node, _):
        written = writing(node)
        await web.write("hana", boot=node.boot)
        assert written == []
        await demand(web, node.boot)
        await until(lambda: any(isinstance(one, Piece) for one in written))
        assert node.engine.spaces[SPACE].files.feed is not None
        assert {one.folder for one in written} == {folder("", SPACE)}
        assert not any(isinstance(one, Ended) for one in written)


@pytest.mark.parametrize("says", ["nothing", "another"])
async def test_if_another_boot_is_to_write_the_files_end_here(running: Running, web: Web, says: str) -> None:
    async with running() as (node, _):
        written = writing(node)
        await web.write("hana", boot="" if says == "nothing" else node.boot)
        await demand(web, node.boot)
        await until(lambda: any(isinstance(one, Piece) for one in written))
        await web.write("hana", publish=False, boot="" if says == "nothing" else "another")
        await demand(web, "another")
        await until(lambda: any(isinstance(one, Ended) for one in written))
        assert [one.how for one in written if isinstance(one, Ended)] == ["moved"]
        assert node.engine.spaces[SPACE].files.feed is None


async def test_files_meant_for_another_boot_are_not_begun(running: Running, web: Web) -> None:
    async with running() as (node, _):
        written = writing(node)
        await web.write("hana", boot=node.boot)
        await node.prepare(SPACE)
        await demand(web, "another")
        await web.redis.publish(standing.LEFT, f"{SPACE} unknown")
        version = await web.write("hana", boot=node.boot)
        await until(lambda: node.engine.spaces[SPACE].standing.version == version)
        assert node.engine.spaces[SPACE].files.feed is None
        assert written == []


async def test_the_next_node_learns_that_files_are_wanted(running: Running, web: Web) -> None:
    async with running() as (node, _), web.redis.pubsub() as channel:
        written = writing(node)
        moving: dict[str, Any] = {"boot": "another", "boot_before": node.boot, "from_ms": 60_000}
        await web.write("hana", boot=node.boot)
        await demand(web, node.boot)
        await until(lambda: any(isinstance(one, Piece) for one in written))
        await channel.subscribe(standing.FILES)
        await web.write("hana", **moving)
        async with asyncio.timeout(10):
            async for message in channel.listen():
                if message["type"] == "message":
                    break
        assert message["data"] == f"{SPACE} another"
        assert node.engine.spaces[SPACE].files.feed is not None, "it writes them until then"
