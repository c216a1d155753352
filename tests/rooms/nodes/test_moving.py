"""Moves of live Spaces that do not go as they should: real nodes, real sockets, real DTLS-SRTP."""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import aiohttp
import msgspec
import pytest
from django.db import transaction

from accounts.models import User
from rooms import events, protocol
from rooms.loops import database
from rooms.media import live_space
from rooms.media.client.peer import Crowd
from rooms.media.contract.held import NOTHING_HELD, Held
from rooms.media.contract.standing import KEY
from rooms.media.node import Node
from rooms.models import Space
from rooms.nodes import draining, http, moving, placement
from rooms.store.client import redis_client
from tests.rig.live.follower import Follower
from tests.rig.live.page import _close_what_belongs_to_the_loop, pages
from tests.rooms.media.conftest import until
from tests.rooms.nodes.test_media import HANA, SOL, Start, hear, media, start, two_voices
from tests.rooms.nodes.test_strays import beat

__all__ = ["_close_what_belongs_to_the_loop", "start"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.asyncio]

ALWAYS = 10**6


class Steps:
    """The steps of moves that pages were sent, in their order, and within how many seconds listeners follow."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sent: list[str] = []
        self.spread: list[float] = []
        self._hint = events.hint
        monkeypatch.setattr(events, "hint", self._note)

    async def _note(self, space_id: object, hint: events.Hint) -> None:
        await self._hint(space_id, hint)
        if isinstance(hint, protocol.SoundMoving):
            self.sent.append(hint.step)
            self.spread.append(hint.within)


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Steps:
    return Steps(monkeypatch)


class Unanswered:
    """Requests that a node leaves unanswered: so many, and only when `when()` is true."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, node: Node, number: int, when: Callable[[], bool]) -> None:
        self.left, self._node, self._when, self._ask = number, node, when, http.ask
        monkeypatch.setattr(http, "ask", self._asked)

    async def _asked(self, session: aiohttp.ClientSession, method: str, url: str, body: Any = None) -> http.Answer:
        if self.left and method == "GET" and url.startswith(self._node.url) and self._when():
            self.left -= 1
            raise http.NoAnswer("lost")
        return await self._ask(session, method, url, body)


async def two(start: Start) -> tuple[Node, Node]:
    """A node that gets the Space, and one that it moves to."""
    old, new = await start("old"), await start("new")
    new.engine.load = 0.5
    await beat(lambda alive: alive[0].name == "old")
    return old, new


async def placed(followers: list[Follower]) -> None:
    await hear(followers)
    await beat(lambda alive: any(node.name == "old" and node.spaces for node in alive))


async def test_one_call_without_an_answer_is_no_death(
    tea: Space, hana: User, sol: User, lior: User, start: Start, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, new = await two(start)
    async with two_voices(tea, hana, sol, lior) as followers:
        await placed(followers)
        once = Unanswered(monkeypatch, new, 1, lambda: steps.sent == ["stage", "all"])
        assert "moved to new: 3 connected" in await media("drain", "old")
        assert not once.left
        assert (await Space.objects.aget(pk=tea.pk)).boot == new.boot
        assert steps.spread == [0.04, 0.04, 0.0], "who misses `all` knows from `stage` over how long to spread"
        await hear(followers)


async def test_everyone_comes_back_from_a_node_that_is_given_up_though_it_lives(
    tea: Space, hana: User, sol: User, lior: User, dee: User, start: Start, steps: Steps,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    await database(dee.follow)(hana)
    old, new = await two(start)
    async with two_voices(tea, hana, sol, lior) as followers:
        await placed(followers)
        Unanswered(monkeypatch, new, len(moving.PAUSES), lambda: steps.sent == ["stage", "all"])
        assert "stays: new does not answer any more." in await media("drain", "old")
        assert (await Space.objects.aget(pk=tea.pk)).boot == old.boot
        await until(partial(_are_on, followers, old), 20)
        print([follower.boots for follower in followers])
        async with pages(tea, dee) as [page]:
            late = Follower(page, followers[0].crowd, (HANA, SOL))
            await late.connect()
            for follower in followers:
                follower.ear.notes.clear()
            await hear([*followers, late])
            assert late.boots == [old.boot]
            await late.close()


@pytest.mark.parametrize(
    ("number", "why"), [(1, "no other node has more than 3 free places"), (ALWAYS, "old does not say who is in it")]
)
async def test_a_node_that_does_not_say_who_is_in_a_space_is_not_taken_for_an_empty_one(
    tea: Space, hana: User, sol: User, lior: User, start: Start, monkeypatch: pytest.MonkeyPatch, number: int, why: str
) -> None:
    old = await start("old")
    async with two_voices(tea, hana, sol, lior) as followers:
        await placed(followers)
        await start("small", capacity=2)
        Unanswered(monkeypatch, old, number, lambda: True)
        assert f"stays: {why}." in await media("drain", "old")
        assert (await Space.objects.aget(pk=tea.pk)).boot == old.boot
        await hear(followers)


async def test_a_move_does_not_begin_before_the_node_says_who_is_there(
    tea: Space, hana: User, sol: User, lior: User, start: Start, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = await two(start)
    async with two_voices(tea, hana, sol, lior) as followers:
        await placed(followers)
        Unanswered(monkeypatch, old, ALWAYS, lambda: bool(new.engine.spaces))
        assert "stays: old does not say who is in it." in await media("drain", "old")
        assert (await Space.objects.aget(pk=tea.pk)).boot == old.boot
        assert steps.sent == []
        await hear(followers)


async def test_a_move_does_not_go_on_before_the_node_says_that_it_is_left(
    tea: Space, hana: User, sol: User, lior: User, start: Start, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, _ = await two(start)
    async with two_voices(tea, hana, sol, lior) as followers:
        await placed(followers)
        mute = Unanswered(monkeypatch, old, 20, lambda: steps.sent == ["stage", "all"])
        assert "moved to new: 3 connected" in await media("drain", "old")
        assert not mute.left, "`over` is sent after that"
        assert steps.sent == ["stage", "all", "over"]


async def test_a_move_that_broke_off_goes_on_to_the_same_node(
    tea: Space, hana: User, sol: User, lior: User, start: Start, steps: Steps
) -> None:
    old, new = await two(start)
    third = await start("third")
    third.engine.load = 0.9
    await beat(lambda alive: alive[-1].name == "third")
    async with two_voices(tea, hana, sol, lior) as followers, http.client() as client:
        await placed(followers)
        source = next(node for node in await database(placement.nodes)() if node.boot == old.boot)
        moving = asyncio.create_task(draining.empty(source, client, print))
        await until(lambda: steps.sent == ["stage"], 20)
        moving.cancel()
        await asyncio.wait([moving])
        third.engine.load = 0.1
        await beat(lambda alive: [node.name for node in alive].index("third") < 2)
        assert "moved to new: 3 connected" in await media("drain", "old")
        await hear(followers)
        assert {follower.ear.boot for follower in followers} == {new.boot}


async def test_a_member_who_changes_networks_in_the_middle_of_a_move_keeps_the_connection(
    tea: Space, hana: User, sol: User, lior: User, start: Start, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = await two(start)
    fetch_held, restarted = moving.fetch_held, asyncio.Event()

    async def waits(client: aiohttp.ClientSession, url: str) -> Held | None:
        """The new node seems empty, so the first step lasts until all have changed their network."""
        waiting = url.startswith(new.url) and not restarted.is_set()
        return NOTHING_HELD if waiting else await fetch_held(client, url)

    monkeypatch.setattr(moving, "fetch_held", waits)
    async with two_voices(tea, hana, sol, lior) as followers:
        await placed(followers)
        drained = asyncio.create_task(media("drain", "old"))
        await until(lambda: steps.sent == ["stage"], 20)
        for follower in followers:
            follower.ear.move("127.0.0.2")
            answer = await follower.restart()
            assert (answer["type"], answer.get("boot")) == ("answer", old.boot), answer
            follower.ear.accept(answer["sdp"])
        since = time.monotonic()
        followers[2].ear.notes.clear()
        await hear(followers)
        print(f"lior hears both again {time.monotonic() - since:.2f} s after the restart, on the old node")
        assert old.engine.restarts == len(followers)
        restarted.set()
        assert "moved to new: 3 connected" in await drained


@database
@transaction.atomic
def settle(tea: Space, node: Node) -> None:
    Space.locked(tea.pk).settle(node.name, node.boot)


async def test_a_page_that_gets_no_hint_of_a_new_place_follows_all_the_same(
    tea: Space, hana: User, sol: User, lior: User, start: Start
) -> None:
    """Redis has lost the message. The boot before sends silence, and that looks like sound."""
    old, new = await two(start)
    async with two_voices(tea, hana, sol, lior) as followers:
        await placed(followers)
        await settle(tea, new)
        await until(partial(_are_on, followers, new), 20)
        await hear(followers)
        assert not old.engine.spaces


async def test_no_one_stays_behind_if_a_move_breaks_off_after_its_first_step(
    tea: Space, hana: User, sol: User, lior: User, start: Start, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its websocket was away for all steps, so it takes none of them on its own."""
    monkeypatch.setattr(moving, "LATEST_MS", 500)
    monkeypatch.setattr(live_space, "LEFT_SECONDS", 0.5)
    old, new = await two(start)
    async with two_voices(tea, hana, sol, lior) as followers, http.client() as client:
        await placed(followers)
        source = next(node for node in await database(placement.nodes)() if node.boot == old.boot)
        broken = asyncio.create_task(draining.empty(source, client, print))
        await until(lambda: steps.sent == ["stage"], 20)
        broken.cancel()
        await asyncio.wait([broken])
        await until(partial(_are_on, followers, new), 20)
        await hear(followers)
        assert not old.engine.spaces


async def test_a_node_that_missed_its_standing_gets_it_again_with_the_next_offer(
    tea: Space, lior: User, start: Start
) -> None:
    old, _ = await two(start)
    await database(placement.place)(tea)
    async with pages(tea, lior) as [page], Crowd() as crowd:
        elsewhere = msgspec.structs.replace(await database(tea.standing)(), version=1, boot="another")
        redis_client().set(KEY.format(space=tea.pk), msgspec.json.encode(elsewhere))
        follower = Follower(page, crowd, ())
        await follower.connect()
        assert follower.boots == [old.boot]
        await follower.close()


def _are_on(followers: list[Follower], node: Node) -> bool:
    return all(follower.ear.boot == node.boot and node.boot == follower.boots[-1] for follower in followers)
