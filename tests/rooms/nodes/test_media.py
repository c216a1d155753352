"""`manage.py media` and what it does to live Spaces: real nodes, real sockets, real DTLS-SRTP."""

import asyncio
import io
import itertools
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from django.conf import settings
from django.core.management import CommandError, call_command

from accounts.models import User
from rooms.loops import database
from rooms.media.capture.tap import Chunk
from rooms.media.client.peer import Crowd
from rooms.media.client.tones import tone_packets
from rooms.media.node import Node
from rooms.models import Participant, Space
from rooms.nodes import placement
from rooms.nodes.refusals import SoundRefused
from tests.rig.live.follower import Ear, Follower
from tests.rig.live.page import _close_what_belongs_to_the_loop, pages
from tests.rig.live.stalls import Stalls, watched
from tests.rig.media.settings import node_settings
from tests.rooms.media.conftest import until
from tests.rooms.nodes.test_strays import Quiet, beat

__all__ = ["_close_what_belongs_to_the_loop"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.asyncio]
HANA, SOL = 440.0, 1320.0
MOST_SILENCE = 1.0
SETTLED = 50  # packets, of a second


class Archive(Quiet):
    """A world outside of the node that keeps its chunks."""

    def __init__(self) -> None:
        self.chunks: list[Chunk] = []

    def ship(self, chunk: Chunk) -> None:
        self.chunks.append(chunk)


Start = Callable[..., Any]


@pytest_asyncio.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """`await start("n1")`: a node of that name, with a heartbeat in Redis."""
    running: list[Node] = []

    async def started(name: str, outside: Quiet | None = None, **more: Any) -> Node:
        own = {"secret": settings.MEDIA_SECRET, "redis_url": settings.REDIS_URL, "spool": tmp_path / "spool"}
        node = Node(node_settings(name=name, **own | more), outside or Quiet())
        running.append(node)
        await node.start()
        await beat(lambda nodes: name in {node.name for node in nodes})
        return node

    yield started
    for node in running:
        await node.stop()


async def media(*arguments: str) -> str:
    """What the command says."""
    out = io.StringIO()
    await database(call_command)("media", *arguments, stdout=out)
    return out.getvalue()


async def refusal(*arguments: str) -> str:
    with pytest.raises(CommandError) as refused:
        await media(*arguments)
    assert "\n" not in str(refused.value)
    return str(refused.value)


@asynccontextmanager
async def two_voices(tea: Space, *people: User) -> AsyncIterator[list[Follower]]:
    """hana and sol at open microphones, and all others listening."""
    voices = {0: tone_packets(HANA), 1: tone_packets(SOL)}
    async with Crowd() as crowd, pages(tea, *people) as opened:
        followers = [Follower(page, crowd, (HANA, SOL), voices.get(place, ())) for place, page in enumerate(opened)]
        await database(_put_on_stage)(tea, people[:2])
        try:
            for follower in followers:
                await follower.connect()
            yield followers
        finally:
            for follower in followers:
                await follower.close()


def _put_on_stage(tea: Space, people: tuple[User, ...]) -> None:
    host, speaker = (Participant.objects.get(space=tea, user=person) for person in people)
    speaker.ask_to_speak().admit(host)
    for person in (host, Participant.objects.get(pk=speaker.pk)):
        person.accept_notice()
        person.open_microphone()


async def hear(followers: list[Follower]) -> None:
    """Until every listener hears both voices in the same packet."""
    for follower in followers[2:]:
        await until(partial(_hears_both, follower), 20)


def _hears_both(follower: Follower) -> bool:
    return bool(follower.ear.notes) and follower.ear.notes[-1][1] == {HANA, SOL}


async def test_the_list_says_what_there_is(tea: Space, hana: User, start: Start) -> None:
    assert await media("list") == "0 running.\n"
    await start("n1", capacity=50)
    gone = await start("n2")
    gone.link.goodbye = _forgetful  # as if it were killed
    await gone.stop()
    await beat(lambda nodes: [node.name for node in nodes] == ["n1"])
    said = await media("list")
    assert "n1  http://127.0.0.1:" in said
    assert "0/50 peers, " in said
    assert ", 0 Spaces\n" in said
    assert "n2  dead for " in said
    assert said.endswith("1 running.\n")


async def _forgetful() -> None: ...


async def test_an_unknown_node_is_refused_with_those_there_are(tea: Space, start: Start) -> None:
    assert await refusal("drain", "n9") == "No media node n9 is running. Running: none."
    await start("n1")
    await start("n2")
    for action in ("drain", "stop"):
        assert await refusal(action, "n9") == "No media node n9 is running. Running: n1, n2."


async def test_a_node_that_does_not_answer_is_reported(
    tea: Space, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = await start("n1")
    monkeypatch.setattr(settings, "MEDIA_SECRET", "another")
    assert await refusal("drain", "n1") == f"n1 does not answer at {node.url}."
    assert not node.draining


async def test_a_drained_node_gets_no_new_space_until_that_is_undone(tea: Space, start: Start) -> None:
    node = await start("n1")
    assert await media("drain", "n1") == "n1 gets no more Spaces.\nn1 is empty.\n"
    await beat(lambda nodes: nodes[0].draining)
    with pytest.raises(SoundRefused):
        await database(placement.place)(tea)
    assert ", draining\n" in await media("list")
    assert await media("drain", "n1", "--undo") == "n1 gets Spaces again.\n"
    await beat(lambda nodes: not nodes[0].draining)
    assert (await database(placement.place)(tea)).boot == node.boot


async def test_without_another_node_spaces_stay_on_their_node(
    tea: Space, hana: User, sol: User, lior: User, start: Start
) -> None:
    node = await start("n1")
    async with two_voices(tea, hana, sol, lior) as followers:
        await hear(followers)
        await beat(lambda nodes: bool(nodes[0].spaces))
        said = await media("drain", "n1")
        assert f"Tea at four ({tea.pk}) stays: no other node has more than 3 free places." in said
        assert said.endswith("n1 still has 1 Space.\n")
        assert "1 Space cannot leave it" in await refusal("stop", "n1")
        assert not node.stop_requested.is_set()
        await hear(followers)


@pytest.mark.alone
async def test_everyone_goes_on_hearing_everyone_while_a_node_is_drained_and_stopped(
    tea: Space, hana: User, sol: User, lior: User, dee: User, start: Start
) -> None:
    await database(dee.follow)(hana)
    kept = Archive()
    old, new = await start("old", kept), await start("new", kept, capacity=2000)
    old.engine.load, new.engine.load = 0.0, 0.5
    await beat(lambda nodes: nodes[0].name == "old")
    async with two_voices(tea, hana, sol, lior, dee) as followers:
        await hear(followers)
        await beat(lambda nodes: any(node.name == "old" and node.spaces for node in nodes))
        async with watched() as stalls:
            since = time.monotonic()
            await more_packets(followers)
            stopping = asyncio.create_task(media("stop", "old", "--wait"))
            await asyncio.wait_for(old.stop_requested.wait(), 30)
            await old.stop()  # which ships what it has
            of_old = len(kept.chunks)
            print(said := await stopping)
            await hear(followers)
        assert longest(followers[2:], since, stalls) < MOST_SILENCE
        assert [follower.boots for follower in followers] == [[old.boot, new.boot]] * 4
        assert [follower.problems() for follower in followers] == [[]] * 4
        assert f"Tea at four ({tea.pk}) moved to new: 4 connected" in said
        assert "cut off" not in said
        assert said.endswith("old is ending.\nold has ended.\n")
        await database(tea.end)()
        await until(lambda: not new.engine.spaces)
    await new.stop()
    assert len(turns(kept.chunks[:of_old])) == 3, "two voices and the mix"
    await until(lambda: turns(kept.chunks[of_old:]) == turns(kept.chunks[:of_old]) and new.spool.waiting == 0, 20)
    nothing_is_doubled(kept.chunks)


async def test_everyone_stays_on_the_old_node_if_the_new_one_dies_meanwhile(
    tea: Space, hana: User, sol: User, lior: User, start: Start
) -> None:
    old, new = await start("old"), await start("new")
    new.engine.load = 0.5
    await beat(lambda nodes: nodes[0].name == "old")
    async with two_voices(tea, hana, sol, lior) as followers:
        await hear(followers)
        await beat(lambda nodes: any(node.name == "old" and node.spaces for node in nodes))
        new.engine.close = lambda name: None  # its Spaces do not end in order
        draining = asyncio.create_task(media("drain", "old"))
        await until(lambda: any(follower.boots[1:] for follower in followers) or draining.done(), 20)
        await new.stop()
        assert "stays: new does not answer any more." in await draining
        row = await Space.objects.aget(pk=tea.pk)
        assert (row.boot, row.boot_before, row.boot_from_ms) == (old.boot, "", 0)
        followers[2].notes.clear()
        await hear(followers)


async def test_a_space_stays_if_no_other_node_has_enough_free_places(
    tea: Space, hana: User, sol: User, lior: User, start: Start
) -> None:
    old = await start("old")
    async with two_voices(tea, hana, sol, lior) as followers:
        await hear(followers)
        await start("small", capacity=2)
        await beat(lambda nodes: any(node.name == "old" and node.spaces for node in nodes))
        assert "stays: no other node has more than 3 free places." in await media("drain", "old")
        assert (await Space.objects.aget(pk=tea.pk)).boot == old.boot


async def more_packets(followers: list[Follower]) -> None:
    """Until every listener has had a second's worth of them."""
    before = [len(follower.ear.notes) for follower in followers[2:]]
    await until(
        lambda: all(len(one.ear.notes) >= had + SETTLED for one, had in zip(followers[2:], before, strict=True)), 20
    )


def longest(followers: list[Follower], since: float, stalls: Stalls) -> float:
    """Seconds of the longest silence of a voice for one of them, but for the stalls of the machine in that silence."""
    silences = [follower.silence(tone, since, stalls) for follower in followers for tone in (HANA, SOL)]
    for silence, stalled in silences:
        print(f"{silence * 1000:.0f} ms without a voice, {stalled * 1000:.0f} ms more while the machine stalled")
    return max(silence for silence, _ in silences)


def turns(chunks: list[Chunk]) -> set[str | None]:
    """Of which voices, and whether of the mix, these are."""
    return {chunk.turn for chunk in chunks}


def nothing_is_doubled(chunks: list[Chunk]) -> None:
    """Each track, and the mix, goes on from one node to the other, and no time is in it twice."""
    for turn in {chunk.turn for chunk in chunks}:
        track = sorted((chunk.start_ms, chunk.start_ms + chunk.duration_ms) for chunk in chunks if chunk.turn == turn)
        gaps = [later[0] - earlier[1] for earlier, later in itertools.pairwise(track)]
        print(f"{turn or 'mix'}: {len(track)} chunks, between them {gaps} ms")
        assert min(gaps) >= 0


async def test_listeners_queue_and_move_up(
    tea: Space, hana: User, sol: User, lior: User, dee: User, mo: User, start: Start
) -> None:
    for person in (dee, mo):
        await database(person.follow)(hana)
    node = await start("n1", capacity=3)
    async with two_voices(tea, hana, sol, lior) as [host, _, listener], pages(tea, dee, mo) as opened:
        await beat(lambda nodes: nodes[0].free_places == 0)
        crowd = host.crowd
        first, second = (Follower(page, crowd, (HANA, SOL)) for page in opened)
        for place, late in enumerate((first, second), 1):
            ear = crowd.add(Ear(()))
            assert (await late.offer(ear))["code"] == "full"
            await until(partial(_has_place, late, place), 20)
        await listener.page.send(type="leave", id=1)
        left = time.monotonic()
        await until(lambda: first.waiting[-1] == 0, 20)
        print(f"called {time.monotonic() - left:.2f} s after a place was free")
        await until(lambda: second.waiting[-1] == 1, 20)
        ear = crowd.add(Ear(()))
        assert (await second.offer(ear))["code"] == "full", "not before their turn"
        await first.connect()
        await until(lambda: node.engine.peers == 3, 20)
        assert second.waiting[-1] == 1
        for late in (first, second):
            await late.close()


def _has_place(late: Follower, place: int) -> bool:
    return late.waiting == [place]


async def test_a_member_who_comes_to_the_stage_does_not_wait(
    tea: Space, hana: User, sol: User, lior: User, dee: User, start: Start
) -> None:
    await database(dee.follow)(hana)
    node = await start("n1")
    async with two_voices(tea, hana, sol, lior) as [host, *_], pages(tea, dee) as [page]:
        node.engine.admission.most = 0.0
        await beat(lambda nodes: nodes[0].full)
        late = Follower(page, host.crowd, (HANA, SOL))
        assert (await late.offer(host.crowd.add(Ear(()))))["code"] == "full"
        await database(_admit)(tea, dee, hana)
        await late.connect()
        await late.close()


def _admit(tea: Space, person: User, host: User) -> None:
    asks = Participant.objects.get(space=tea, user=person).ask_to_speak()
    asks.admit(Participant.objects.get(space=tea, user=host))
