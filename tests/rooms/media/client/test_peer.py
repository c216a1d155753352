"""The peer without a browser: what it leaves behind when it goes."""

import asyncio

import pytest

from rooms.media.client.peer import Client, Crowd
from tests.rig.media.web import SPACE
from tests.rooms.media.conftest import World, until


@pytest.mark.parametrize("is_connected", [True, False], ids=["connected", "in its handshake"])
async def test_a_removed_peer_leaves_no_task_and_says_no_goodbye(world: World, is_connected: bool) -> None:
    world.stand()
    async with Crowd() as crowd:
        before = asyncio.all_tasks()
        client = crowd.add(Client())
        client.accept(world.engine.join(SPACE, world.grant("lior"), client.offer()))
        of_node = asyncio.all_tasks()
        await (client.connected() if is_connected else until(lambda: asyncio.all_tasks() > of_node))
        crowd.remove(client)
        assert "lior" in world.engine.spaces[SPACE].peers
        world.engine.leave(SPACE, "lior")
        await until(lambda: asyncio.all_tasks() <= before, seconds=2.0)
        assert not client.gone.is_set()
