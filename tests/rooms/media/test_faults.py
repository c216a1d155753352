"""A fault of ours in one Space, or in one part of a node, is logged and silences no other."""

import logging
from typing import NoReturn

import pytest

from rooms.media.client.peer import Client
from rooms.media.client.tones import tone_packets
from rooms.media.contract.grant import mint
from rooms.media.contract.standing import Standing, Voice
from rooms.media.engine import MOST_FAILURES
from tests.rig.media.web import SECRET
from tests.rooms.media.conftest import SPACE, Running, Web, World, until

OTHER = "0b0e6679-7425-40de-944b-e07fc1f90ae7"


class Fault(Exception):
    """An unexpected fault."""


def fails(*arguments: object) -> NoReturn:
    raise Fault


async def test_a_space_whose_ticks_fail_silences_no_other_and_restarts(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.stand("hana")
    hana, lior = await world.join("hana"), await world.join("lior")
    hana.speak(tone_packets(440.0))
    world.engine.apply(Standing(OTHER, 1, world.started_at, voices=(Voice("dee", "turn-of-dee", False),)))
    dee = Client(clock=lambda: world.now)
    dee.start()
    world.clients.append(dee)
    dee.accept(world.engine.join(OTHER, mint(SECRET, OTHER, "dee", world.started_at), dee.offer()))
    await dee.connected()
    before = lior.received.packets
    monkeypatch.setattr(world.engine.spaces[OTHER], "_work", fails)
    for _ in range(MOST_FAILURES - 1):
        world.step()
    assert lior.received.packets - before == MOST_FAILURES - 1
    assert OTHER in world.engine.spaces
    world.step()
    assert OTHER not in world.engine.spaces
    assert set(world.engine.spaces[SPACE].peers) == {"hana", "lior"}
    assert world.engine.failed_ticks == MOST_FAILURES
    assert [record.message for record in caplog.records if record.levelno == logging.ERROR] == [
        f"Space {OTHER}: a tick failed. Later failures are only counted"
    ]


async def test_a_standing_that_cannot_be_applied_keeps_no_other_from_being(
    running: Running, web: Web, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await web.write("hana")
    async with running() as (node, call):
        hana = Client()
        await call.join(hana, "hana")
        apply = node.engine.apply
        monkeypatch.setattr(node.engine, "apply", fails)
        await web.write("hana", removed=frozenset({"dee"}))
        await until(lambda: "is not in effect" in caplog.text)
        monkeypatch.setattr(node.engine, "apply", apply)
        version = await web.write("hana", removed=frozenset({"hana"}))
        await until(lambda: (SPACE, version) in web.acknowledgements)
        assert node.engine.peers == 0
        assert not node.stop_requested.is_set()
        hana.vanish()


async def test_a_node_of_which_a_part_has_failed_ends(
    running: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with running() as (node, _):
        assert not node.failed
        monkeypatch.setattr(node.engine.admission, "weigh", fails)
        await until(node.stop_requested.is_set)
        assert node.failed
        assert "a part of the node failed, so it ends" in caplog.text
