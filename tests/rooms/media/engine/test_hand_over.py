"""Two nodes have a Space for a while: at any moment exactly one of them keeps the sound."""

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest
import pytest_asyncio

from rooms.media.capture import ogg
from rooms.media.capture.tap import Chunk, Tap
from rooms.media.client.peer import Client
from rooms.media.client.tones import tone_packets
from rooms.media.contract.standing import Standing, Voice
from rooms.media.engine import Refused
from rooms.media.hls.messages import Ended, Piece
from rooms.media.live_space import EMPTY_SECONDS, LEFT_SECONDS
from rooms.media.sound.opus import Decoder
from rooms.media.units import FRAME, MS
from tests.rig.sound.measures import strength
from tests.rooms.media.conftest import SPACE, World, until

PACKETS = tone_packets(440.0)
AT_MS = 4010  # no multiple of a packet


def test_a_tap_keeps_what_lies_in_its_time_and_nothing_else() -> None:
    shipped: list[list[Chunk]] = [[], []]
    limits = (0, AT_MS), (AT_MS, 10**9)
    for chunks, limit, late in zip(shipped, limits, (0, 7 * MS), strict=True):
        tap = Tap("space", "turn", "hana", chunks.append)
        tap.limit(*limit)
        for number in range(400):
            tap.write(PACKETS[number % 50], FRAME, number * FRAME, number * FRAME + late)
            tap.tick(number * FRAME + late)
        tap.close()
    first, second = shipped
    assert all(chunk.duration_ms for chunk in first + second)
    end = max(chunk.start_ms + chunk.duration_ms for chunk in first)
    start = min(chunk.start_ms for chunk in second)
    assert AT_MS - 20 <= end <= AT_MS <= start <= AT_MS + 20
    assert second[0].key != first[-1].key


@pytest.mark.parametrize(
    ("boot", "kept"), [("new", (AT_MS, 2**53)), ("old", (0, AT_MS)), ("third", (0, 0)), ("", (0, 0))]
)
def test_a_standing_says_which_boot_keeps_what(boot: str, kept: tuple[int, int]) -> None:
    moving = Standing(SPACE, 1, 0.0, boot="new", boot_before="old", from_ms=AT_MS)
    assert moving.kept_by(boot) == kept
    assert Standing(SPACE, 1, 0.0).kept_by(boot) == (0, 2**53)


@pytest_asyncio.fixture
async def nodes() -> AsyncIterator[tuple[World, World]]:
    """Two nodes with one clock; they are called old and new."""
    old, new = World(boot="old"), World(boot="new")
    new.started_at = old.started_at
    yield old, new
    await old.close()
    await new.close()


def stand(nodes: tuple[World, World], version: int, **more: object) -> None:
    for world in nodes:
        voices = (Voice("hana", "turn-of-hana"),)
        world.engine.apply(Standing(SPACE, version, world.started_at, voices=voices, **more))  # type: ignore[arg-type]


def run(nodes: tuple[World, World], seconds: float) -> None:
    for _ in range(round(seconds / 0.02)):
        for world in nodes:
            world.step()


async def test_a_voice_on_two_nodes_is_kept_once_without_a_gap(nodes: tuple[World, World]) -> None:
    old, new = nodes
    stand(nodes, 1, boot="old")
    hana = await old.join("hana")
    hana.speak(PACKETS)
    run(nodes, 2.0)
    stand(nodes, 2, boot="new", boot_before="old", from_ms=10_000)
    listener = await new.join("lior")
    again: Client = await new.join("hana")
    again.speak(PACKETS)
    run(nodes, 1.0)
    now_ms = round((old.now - 1000.0) * 1000)
    stand(nodes, 3, boot="new", boot_before="old", from_ms=now_ms + 300)
    run(nodes, 4.0)
    stand(nodes, 4, boot="new", ended=True)
    await asyncio.sleep(0)
    for turn in ("turn-of-hana", None):
        first, second = ([chunk for chunk in world.chunks if chunk.turn == turn] for world in nodes)
        end = max(chunk.start_ms + chunk.duration_ms for chunk in first)
        start = min(chunk.start_ms for chunk in second)
        print(f"{turn or 'mix'}: the old node kept it until {end} ms, the new one from {start} ms")
        assert end <= now_ms + 300 <= start
        assert start - end <= 80
    assert strength(sound([chunk for chunk in new.chunks if chunk.turn]), 440.0) > 0.2
    assert old.levels or new.levels or listener.received.packets


def room_ms(world: World) -> int:
    return round((world.now - 1000.0) * 1000)


async def test_peers_who_stayed_behind_are_dropped_long_after_the_move(nodes: tuple[World, World]) -> None:
    old, _ = nodes
    stand(nodes, 1, boot="old")
    lior = await old.join("lior")
    stand(nodes, 2, boot="new", boot_before="old", from_ms=room_ms(old) + 1000)
    run(nodes, 1.0 + LEFT_SECONDS - 0.5)
    assert not lior.gone.is_set(), "a large room takes its time"
    run(nodes, 2.0)
    await until(lior.gone.is_set)
    assert old.engine.spaces == {}


async def test_peers_on_a_node_without_the_space_are_dropped(nodes: tuple[World, World]) -> None:
    """The Space was placed elsewhere, and its node has missed that."""
    old, new = nodes
    stand(nodes, 1, boot="old")
    lior, dee = await old.join("lior"), await old.join("dee")
    stand(nodes, 2, boot="new")
    run(nodes, 1.5)
    for client in (lior, dee):
        await until(client.gone.is_set)
    assert old.engine.spaces == {}
    assert SPACE in new.engine.spaces


async def test_newcomers_are_refused_on_the_old_node_and_its_peers_go_on(
    nodes: tuple[World, World],
) -> None:
    old, _ = nodes
    stand(nodes, 1, boot="old")
    lior = await old.join("lior")
    stand(nodes, 2, boot="new", boot_before="old", from_ms=room_ms(old) + 10_000)
    for name in ("lior", "dee"):
        with pytest.raises(Refused, match="on another node") as refusal:
            old.engine.join(SPACE, old.grant(name), lior.offer())
        assert refusal.value.code == "no_space"
    lior.accept(old.engine.restart(SPACE, old.grant("lior"), lior.restart()))
    assert not lior.gone.is_set()


async def test_a_space_that_is_made_ready_for_a_move_waits_for_it(nodes: tuple[World, World]) -> None:
    _, new = nodes
    stand(nodes, 1, boot="old")
    run(nodes, EMPTY_SECONDS - 1.0)
    assert SPACE in new.engine.spaces
    run(nodes, 2.5)
    assert new.engine.spaces == {}


def heard(nodes: tuple[World, World], boot: str) -> None:
    for world in nodes:
        world.engine.write_files(SPACE, boot)


def written(world: World) -> list[Piece]:
    return [one for one in world.written if isinstance(one, Piece)]


async def test_files_are_written_on_two_nodes_once_without_a_gap(nodes: tuple[World, World]) -> None:
    old, new = nodes
    stand(nodes, 1, boot="old")
    heard(nodes, "old")
    run(nodes, 2.0)
    assert old.engine.spaces[SPACE].files_belong_to == ""
    now_ms = round((old.now - 1000.0) * 1000)
    stand(nodes, 2, boot="new", boot_before="old", from_ms=now_ms + 1300)
    assert old.engine.spaces[SPACE].files_belong_to == "new"
    heard(nodes, "new")
    run(nodes, 3.0)
    heard(nodes, "new")
    run(nodes, 1.0)
    last, first = written(old)[-1], written(new)[0]
    gap = first.position - last.position - len(last.packets) * FRAME
    print(f"{gap / MS:.0f} ms between what the old node wrote and what the new one did")
    assert abs(gap) <= FRAME
    assert abs(first.position - (now_ms + 1300) * MS) <= FRAME
    assert [one.how for one in old.written if isinstance(one, Ended)] == ["moved"]
    assert not any(isinstance(one, Ended) for one in new.written)


async def test_only_the_boot_that_the_web_side_wants_writes_files(nodes: tuple[World, World]) -> None:
    old, new = nodes
    stand(nodes, 1, boot="old")
    heard(nodes, "new")
    run(nodes, 1.0)
    assert not written(old) + written(new), "the new one does not know yet that it has the Space"
    stand(nodes, 2, boot="new")
    heard(nodes, "new")
    run(nodes, 1.0)
    assert written(new)
    assert not written(old)


def sound(chunks: list[Chunk]) -> "np.ndarray[tuple[int], np.dtype[np.int16]]":
    decoder = Decoder()
    return np.concatenate([decoder.decode(one.payload) for chunk in chunks for one in ogg.read(chunk.data).packets])


def test_what_comes_late_still_belongs_to_the_node_before() -> None:
    chunks: list[Chunk] = []
    tap = Tap("space", "turn", "hana", chunks.append)
    tap.limit(0, 1000)
    for number in range(60):
        late = 100 * MS if number >= 45 else 0
        tap.write(PACKETS[number % 50], FRAME, number * FRAME, number * FRAME + late)
        tap.tick(number * FRAME + late)
    assert tap.is_open, "the last ones may come later still"
    tap.tick(2000 * MS)
    [chunk] = chunks
    assert (chunk.start_ms, chunk.duration_ms) == (0, 1000)
