"""A node in a process of its own keeps nothing of those who came and went."""

import asyncio
from pathlib import Path
from typing import NamedTuple

import pytest

from bench.rig import machine, measure
from bench.rig.crowd import Crowd
from bench.rig.node import MediaNode, Room
from bench.rig.peers import Peer
from bench.rig.sound.tones import tones

AT_ONCE = 50
SECONDS = 20.0  # at most, until the node has noticed that all are gone


class Held(NamedTuple):
    """What a node has in hand: resident memory in MB, file descriptors, threads, tasks of its event loop."""

    memory: float
    descriptors: int
    threads: int
    tasks: int


async def held(node: MediaNode) -> Held:
    process = Path(f"/proc/{node.pid}")
    descriptors, threads = (len(list((process / name).iterdir())) for name in ("fd", "task"))
    return Held(machine.memory_mb(node.pid), descriptors, threads, (await node.health()).tasks)


async def come_and_go(room: Room, count: int) -> None:
    """Let peers join, hear something and leave, until only the speaker is there."""
    for _ in range(0, count, AT_ONCE):
        async with Crowd() as crowd:
            peers = await asyncio.gather(*(crowd.connect(Peer(), room.listen) for _ in range(AT_ONCE)))
            await asyncio.gather(*(peer.sounding(SECONDS) for peer in peers))
        async with asyncio.timeout(SECONDS):
            while (await room.node.health()).peers > 1:  # noqa: ASYNC110 -- only the node knows
                await asyncio.sleep(0.02)


@pytest.mark.proof
async def test_2000_peers_that_joined_and_left_leave_nothing_behind() -> None:
    with machine.on_core(machine.cores()[1]):
        async with MediaNode() as node, Crowd() as crowd:
            room = node.open_space(1)
            await measure.talking(crowd, room.speak, tones((400,)))
            await come_and_go(room, 1000)  # until garbage is looked for now and then, and memory is what it will be
            before = await held(node)
            await come_and_go(room, 2000)
            after = await held(node)
            print(f"before: {before}, after: {after}, joins: {(await node.health()).joins}")
    assert all(was * 0.95 <= now <= was * 1.05 for was, now in zip(before, after, strict=True)), (before, after)
