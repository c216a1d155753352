"""Hearing a Space as files: which pages get their address, and for how long."""

import asyncio
import json
import time
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer

from accounts.models import Block, User
from rooms import events, protocol
from rooms.hls import listeners
from rooms.media.contract.standing import FILES
from rooms.media.hls import signature
from rooms.models import Participant, Space
from rooms.nodes import placement
from rooms.refusals import Refused
from rooms.store import keys, queue
from rooms.store.client import async_redis_client
from tests.rig.live.page import Page, _close_what_belongs_to_the_loop, pages
from tests.rig.media.heartbeat import beat, died

__all__ = ["_close_what_belongs_to_the_loop"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.asyncio]
SECRET = "s3cret"


@pytest.fixture(autouse=True)
def _secret(settings: Any) -> None:
    settings.HLS_SECRET = SECRET


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the rights be checked all the time."""
    monkeypatch.setattr(listeners, "DEMAND_SECONDS", 0.05)


async def hear(page: Page, files: bool = True) -> dict[str, Any]:
    await page.send(type="hear", files=files, id=7)
    return await page.until("files" if files else "ok", re=7)


def opens(frame: dict[str, Any]) -> bool:
    return signature.refusal(SECRET, frame["folder"], frame["signed"], time.time()) is None


async def test_without_a_node_there_are_no_files(tea: Space, lior: User) -> None:
    async with pages(tea, lior) as [page]:
        assert (await hear(page))["hls"] is False


async def test_if_the_node_writes_none_there_are_no_files(tea: Space, lior: User) -> None:
    await sync_to_async(beat)("one")
    async with pages(tea, lior) as [page]:
        assert await hear(page) == {"type": "files", "hls": False, "folder": "", "signed": "", "seconds": 0, "re": 7}


async def test_if_the_operator_wants_none_there_are_no_files(tea: Space, lior: User, settings: Any) -> None:
    settings.HLS = False
    await sync_to_async(beat)("one", hls=True)
    async with pages(tea, lior) as [page]:
        assert (await hear(page))["hls"] is False


async def test_a_member_in_the_space_gets_the_address_of_the_files(tea: Space, lior: User) -> None:
    await sync_to_async(beat)("one", hls=True)
    async with pages(tea, lior) as [page]:
        frame = await hear(page)
        assert opens(frame)
        assert frame["folder"] == signature.folder(SECRET, str(tea.pk))
        assert frame["seconds"] == signature.SECONDS


async def test_a_full_node_still_writes(tea: Space, lior: User) -> None:
    await sync_to_async(beat)("one", hls=True)
    async with pages(tea, lior) as [page]:
        await hear(page)
        await sync_to_async(beat)("one", hls=True, peers=10, capacity=10)
        assert (await hear(page))["hls"] is True


async def test_a_member_who_chooses_files_leaves_the_queue(tea: Space, lior: User) -> None:
    await sync_to_async(beat)("one", hls=True)
    async with pages(tea, lior) as [page]:
        me = await Participant.objects.aget(space=tea, user=lior)
        assert await sync_to_async(queue.join)(tea.pk, me.pk) == 1
        await hear(page)
        assert await async_redis_client().zcard(keys.QUEUE.format(space=tea.pk)) == 1, "files until it is their turn"
        await page.send(type="hear", files=True, chosen=True, id=8)
        await page.until("files", re=8)
        assert await async_redis_client().zcard(keys.QUEUE.format(space=tea.pk)) == 0


async def test_the_node_is_asked_for_files_again_and_again(tea: Space, lior: User, quick: None) -> None:
    await sync_to_async(beat)("one", hls=True)
    async with async_redis_client().pubsub() as channel, pages(tea, lior) as [page]:
        await channel.subscribe(FILES)
        await hear(page)
        asked = [message async for message in _messages(channel, 3)]
        assert set(asked) == {f"{tea.pk} 1"}, "again and again, with the boot that is to write them"


async def _messages(channel: Any, number: int) -> Any:
    async with asyncio.timeout(20):
        async for message in channel.listen():
            if message["type"] == "message":
                yield message["data"]
                number -= 1
                if number == 0:
                    return


async def test_the_signature_is_renewed_as_long_as_a_page_hears(tea: Space, lior: User, quick: None) -> None:
    await sync_to_async(beat)("one", hls=True)
    async with pages(tea, lior) as [page]:
        await hear(page)
        assert opens(await page.until("files", re=None))
        await hear(page, files=False)
        assert not listeners._audiences.get()


async def test_a_page_that_leaves_is_forgotten(tea: Space, lior: User) -> None:
    await sync_to_async(beat)("one", hls=True)
    async with pages(tea, lior) as [page]:
        await hear(page)
        assert len(listeners._audiences.get()) == 1
    assert not listeners._audiences.get()


class Ear:
    """What a page is sent, without a page."""

    def __init__(self) -> None:
        self.frames: list[str] = []

    async def __call__(self, frame: str) -> None:
        self.frames.append(frame)


async def renewed(space: Space, *people: Participant) -> list[int]:
    """How many signatures each page gets at the next renewal."""
    audience = listeners.Audience(space.pk)
    ears = [Ear() for _ in people]
    audience.sends = {person.pk: ear for person, ear in zip(people, ears, strict=True)}
    await audience.renew()
    audience.sends.clear()
    audience.stop()
    return [len(ear.frames) for ear in ears]


async def test_a_page_that_fails_takes_the_signature_from_no_other(
    tea: Space, listener: Participant, speaker: Participant
) -> None:
    async def torn(frame: str) -> None:
        raise RuntimeError("the socket is torn")

    audience, ear = listeners.Audience(tea.pk), Ear()
    audience.sends = {listener.pk: torn, speaker.pk: ear}
    await audience.renew()
    audience.stop()
    assert len(ear.frames) == 1


@pytest.mark.parametrize(
    ("broken", "beats"), [("demand", listeners.RENEW_AFTER), ("_entitled", 2 * listeners.RENEW_AFTER)]
)
async def test_a_short_failure_of_redis_or_the_database_is_made_good(
    tea: Space, listener: Participant, quick: None, monkeypatch: pytest.MonkeyPatch, broken: str, beats: int
) -> None:
    """Without Redis signatures are renewed all the same; without the database as soon as it is back."""
    asked, renewed = {"demand": 0, "_entitled": 0}, asyncio.Event()

    def failing_at_first(name: str) -> Any:
        working = getattr(listeners, name)

        async def call(*args: Any) -> Any:
            asked[name] += 1
            if name == broken and asked[name] <= listeners.RENEW_AFTER:
                raise ConnectionError("a short failure")
            return await working(*args)

        return call

    async def note(frame: str) -> None:
        renewed.set()

    for name in asked:
        monkeypatch.setattr(listeners, name, failing_at_first(name))
    audience = listeners.Audience(tea.pk)
    audience.sends = {listener.pk: note}
    await asyncio.wait_for(renewed.wait(), 20)
    audience.stop()
    print(f"{broken} failed {listeners.RENEW_AFTER} times: a signature after {asked['demand']} beats")
    assert asked["demand"] <= beats


async def test_all_pages_learn_that_the_space_went_to_a_node_without_files(tea: Space, listener: Participant) -> None:
    audience, ear = listeners.Audience(tea.pk), Ear()
    audience.sends = {listener.pk: ear}
    for writes in (True, False, False, True):  # a writer that starts over may miss one
        await sync_to_async(beat)("one", hls=writes)
        await sync_to_async(placement.place)(tea)
        await audience.renew()
    audience.stop()
    assert [json.loads(frame)["hls"] for frame in ear.frames] == [True, True, False, True]


async def test_while_a_dead_node_is_followed_by_another_one_signatures_are_renewed(
    tea: Space, listener: Participant
) -> None:
    await sync_to_async(beat)("one", hls=True)
    await sync_to_async(placement.place)(tea)
    await sync_to_async(died)("one")
    audience, ear = listeners.Audience(tea.pk), Ear()
    audience.sends = {listener.pk: ear}
    for _ in range(2 * listeners.MOST_WITHOUT):
        await audience.renew()
    audience.stop()
    assert [json.loads(frame)["hls"] for frame in ear.frames] == [True] * 2 * listeners.MOST_WITHOUT


async def test_a_removed_member_gets_no_further_signature(
    tea: Space, host: Participant, listener: Participant, speaker: Participant
) -> None:
    assert await renewed(tea, listener, speaker) == [1, 1]
    await sync_to_async(listener.remove)(host)
    assert await renewed(tea, listener, speaker) == [0, 1]


async def test_a_member_who_left_gets_no_further_signature(tea: Space, listener: Participant) -> None:
    await sync_to_async(listener.leave)()
    assert await renewed(tea, listener) == [0]


async def test_a_block_counts_even_if_its_signal_was_lost(
    tea: Space, hana: User, lior: User, listener: Participant
) -> None:
    await Block.objects.acreate(blocker=hana, blocked=lior)
    assert await renewed(tea, listener) == [0]


async def test_after_the_end_no_one_gets_a_signature(tea: Space, host: Participant, listener: Participant) -> None:
    await sync_to_async(tea.end)(by=host)
    assert await renewed(tea, listener) == [0]


async def test_a_member_who_is_out_is_refused(tea: Space, listener: Participant) -> None:
    await sync_to_async(beat)("one", hls=True)
    await sync_to_async(listener.leave)()
    with pytest.raises(Refused):
        await listeners.hear(listener.pk, protocol.Hear(files=True), Ear())


async def test_levels_are_not_sent_to_pages_that_hear_later(tea: Space, lior: User, sol: User) -> None:
    await sync_to_async(beat)("one", hls=True)
    async with pages(tea, lior, sol) as [late, live]:
        await hear(late)
        await events.hint(tea.pk, protocol.Levels(levels={}))
        await get_channel_layer().group_send(events.group(tea.pk), events._message('{"type": "mark"}'))
        await live.until("levels")
        before_the_mark = [frame["type"] for frame in await frames_until(late, "mark")]
        assert "levels" not in before_the_mark
        await hear(late, files=False)
        await events.hint(tea.pk, protocol.Levels(levels={}))
        await late.until("levels")


async def frames_until(page: Page, kind: str) -> list[dict[str, Any]]:
    frames: list[dict[str, Any]] = []
    while not frames or frames[-1]["type"] != kind:
        frames.append(await page.socket.receive_json_from(timeout=20))
    return frames
