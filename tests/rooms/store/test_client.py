"""The client of a web process: however many ask at once, each of them gets an answer."""

import asyncio
import uuid

import pytest

from rooms.live import presence
from tests.rig.live.page import _close_what_belongs_to_the_loop

__all__ = ["_close_what_belongs_to_the_loop"]
pytestmark = pytest.mark.asyncio

AT_ONCE = 300  # more than the 100 connections that redis-py allows by default


async def test_all_leases_end_whose_sockets_close_in_one_moment() -> None:
    space, participants = str(uuid.uuid4()), [str(uuid.uuid4()) for _ in range(AT_ONCE)]
    await presence.renew(space, {f"{participant}:page" for participant in participants})
    assert len(await presence.connected(space)) == AT_ONCE
    await asyncio.gather(*(presence.drop(space, participant, "page") for participant in participants))
    assert not await presence.connected(space)
