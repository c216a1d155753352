"""When a node looks for what is gone."""

import gc
import weakref

import pytest

from rooms.media.garbage import LONGEST_SECONDS, Garbage, shorten_pauses
from tests.rooms.media.conftest import SPACE, World, until


def test_it_looks_when_as_many_are_gone_as_are_there_but_not_for_a_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gc, "collect", lambda: 0)
    garbage = Garbage(now=100.0)
    assert not garbage.is_due(gone=199, peers=0, now=101.0)
    assert garbage.is_due(gone=200, peers=0, now=101.0)
    assert not garbage.is_due(gone=999, peers=1000, now=101.0)
    garbage.collect(gone=1000, now=101.0)
    assert not garbage.is_due(gone=1199, peers=0, now=102.0)
    assert garbage.is_due(gone=1200, peers=0, now=102.0)


def test_it_looks_once_an_hour_all_the_same() -> None:
    garbage = Garbage(now=100.0)
    assert not garbage.is_due(gone=0, peers=1000, now=99.0 + LONGEST_SECONDS)
    assert garbage.is_due(gone=0, peers=1000, now=100.0 + LONGEST_SECONDS)


async def test_a_look_finds_a_peer_that_is_gone(world: World) -> None:
    world.stand("hana")
    hana = await world.join("hana", decode=False)
    peer = weakref.ref(world.peer("hana"))
    world.engine.leave(SPACE, "hana")
    await hana.close()
    await until(lambda: not world.engine._closing)
    Garbage(0.0).collect(1, 0.0)
    assert peer() is None


def test_what_lives_long_is_left_alone_by_the_interpreter() -> None:
    before = gc.get_threshold()
    try:
        shorten_pauses()
        assert gc.get_threshold() == (2000, 2, 1_000_000)
    finally:
        gc.set_threshold(*before)
