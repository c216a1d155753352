"""The websocket of a Space: who may enter, what a frame does, what the others see of it."""

import asyncio
from typing import Any

import msgspec
import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.conf import settings
from django.test import Client

from accounts.models import User
from rooms import events, protocol, tasks
from rooms.live import commands, presence, ticker
from rooms.live.socket import BURST, WARNINGS
from rooms.management.commands import runmedia
from rooms.media.contract.hints import ConnectionState, InEffect
from rooms.models import Participant, Space
from rooms.protocol import Close
from rooms.store import layer
from tests.rig.live.page import HOST, ORIGIN, WAIT_SECONDS, Page, _close_what_belongs_to_the_loop, pages

__all__ = ["_close_what_belongs_to_the_loop"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.asyncio]


async def test_the_first_frame_is_a_snapshot(tea: Space, hana: User, sol: User) -> None:
    async with pages(tea, hana) as [_]:
        page = await sync_to_async(Page)(tea, sol)
        assert await page.connect()
        snapshot = await page.until("snapshot")
        assert snapshot["space"]["title"] == "Tea at four"
        assert [person["handle"] for person in snapshot["stage"]] == ["hana"]
        assert snapshot["listeners"] == 1
        await page.gone()


async def test_the_state_of_a_connection_goes_to_its_own_page_alone(tea: Space, hana: User, sol: User) -> None:
    async with pages(tea, hana, sol) as [host, listener]:
        me = await Participant.objects.aget(space=tea, user=sol)
        await runmedia.Web().hint(ConnectionState(str(tea.pk), str(me.pk), "poor", "loss", "out", False))
        frame = await listener.until("connection")
        assert frame == {"type": "connection", "quality": "poor", "why": "loss", "way": "out", "arrives": False}
        await runmedia.Web().hint(InEffect(str(tea.pk), 77))
        frame = msgspec.json.decode(await host.socket.receive_from(timeout=WAIT_SECONDS))
        while (frame["type"], frame.get("standing")) != ("in_effect", 77):
            assert frame["type"] != "connection"
            frame = msgspec.json.decode(await host.socket.receive_from(timeout=WAIT_SECONDS))


async def test_the_uninvited_and_the_anonymous_get_nothing(tea: Space, dee: User) -> None:
    for user, code in ((dee, Close.NOT_FOUND), (None, Close.LOG_IN)):
        page = await sync_to_async(Page)(tea, user)
        assert await page.connect()
        first = await page.socket.receive_output(timeout=WAIT_SECONDS)
        assert (first["type"], first["code"]) == ("websocket.close", code)
    assert await Participant.objects.filter(user=dee).acount() == 0


@pytest.mark.parametrize("headers", [[HOST], [HOST, (b"origin", b"https://evil.example")]])
async def test_a_foreign_or_missing_origin_is_refused(tea: Space, headers: list[tuple[bytes, bytes]]) -> None:
    page = await sync_to_async(Page)(tea, None, headers)
    assert not await page.connect()


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("{", "bad_json"),
        ("[]", "bad_frame"),
        ('{"type":"fly"}', "bad_frame"),
        ('{"type":"leave","now":true}', "bad_frame"),
        ('{"type":"react","emoji":"x"}', "bad_frame"),
        ('{"type":"ask","text":"' + "x" * 141 + '"}', "bad_frame"),
        ('{"type":"ask","text":"\\u0000"}', "bad_frame"),
        ("\ud800", "bad_json"),
        ("[" * 5000, "bad_frame"),
        ('{"type":"sync","id":' + "[" * 5000, "bad_frame"),
    ],
)
async def test_a_bad_frame_is_answered_and_changes_nothing(tea: Space, sol: User, frame: str, code: str) -> None:
    async with pages(tea, sol) as [page]:
        await page.socket.send_to(text_data=frame)
        assert (await page.until("error"))["code"] == code
        await page.send(type="sync")
        assert (await page.until("snapshot"))["seq"] == 0


async def test_a_ping_is_answered(tea: Space, sol: User) -> None:
    async with pages(tea, sol) as [page]:
        await page.send(type="ping", id=3)
        assert await page.until_any("ok", "error") == {"type": "ok", "re": 3}


async def test_binary_frames_are_refused(tea: Space, sol: User) -> None:
    async with pages(tea, sol) as [page]:
        await page.socket.send_to(bytes_data=b"\x00\x01")
        assert (await page.until("error"))["code"] == "bad_json"


async def test_too_many_frames_warn_and_then_close(tea: Space, sol: User) -> None:
    async with pages(tea, sol) as [page]:
        for _ in range(BURST + WARNINGS + 20):
            await page.socket.send_to(text_data="{")
        assert (await page.until("error", code="slow_down"))["text"]
        assert await page.closed() == Close.TOO_MANY_FRAMES


async def test_asking_admitting_and_opening(tea: Space, hana: User, sol: User) -> None:
    async with pages(tea, hana, sol) as [host, page]:
        await page.send(type="ask", text="me please", id=1)
        assert await page.until("ok", re=1)
        asked = await host.until("asked")
        assert asked["request"]["text"] == "me please"
        await host.send(type="admit", request=asked["request"]["request"], id=2)
        assert (await page.until_voice("sol", "self"))["person"]["role"] == "speaker"
        await page.send(type="microphone", open=True, id=3)
        assert (await page.until("error", re=3))["code"] == "notice_not_accepted"
        await page.send(type="accept_notice", id=4)
        await page.send(type="microphone", open=True, id=5)
        assert (await host.until_voice("sol", "open"))["person"]["role"] == "speaker"


async def test_what_a_listener_may_not_do_is_refused_with_the_reason(tea: Space, hana: User, sol: User) -> None:
    async with pages(tea, hana, sol) as [_, page]:
        host = await Participant.objects.aget(space=tea, user=hana)
        for frame in (
            {"type": "end"},
            {"type": "remove", "participant": str(host.pk)},
            {"type": "mute", "participant": str(host.pk)},
            {"type": "microphone", "open": True},
            {"type": "step_down"},
        ):
            await page.send(**frame, id=9)
            assert (await page.until("error", re=9))["code"] == "not_your_role"


async def test_the_host_invites_all_handles_or_none(hana: User, sol: User, dee: User, lior: User) -> None:
    space = await sync_to_async(Space.open)(hana, title="Tea", audience=Space.Audience.NAMED, invited=[sol])
    await sync_to_async(lior.block)(hana)
    async with pages(space, hana, sol) as [host, page]:
        for number, other in enumerate(("nobody_here", "lior")):
            await host.send(type="invite", handles=["dee", other], id=number)
            refused = await host.until("error", re=number)
            assert (refused["code"], refused["text"]) == ("no_such_person", f"Member not found: @{other}.")
        await page.send(type="invite", handles=["dee"], id=7)
        assert (await page.until("error", re=7))["code"] == "not_your_role"
        assert not await space.invitations.filter(user=dee).aexists()
        for number, new in ((8, 1), (9, 0)):
            await host.send(type="invite", handles=["dee", "sol", "hana"], id=number)
            assert (await host.until("invited", re=number))["new"] == new
        assert not await space.invitations.filter(user=hana).aexists()
        async with pages(space, dee):
            pass


async def test_a_removed_person_is_cut_off_and_stays_out(tea: Space, hana: User, sol: User, lior: User) -> None:
    async with pages(tea, hana, sol, lior) as [host, removed, other]:
        person = await Participant.objects.aget(space=tea, user=sol)
        await host.send(type="remove", participant=str(person.pk))
        assert await removed.closed() == Close.REMOVED
        assert (await other.until("removed"))["participant"] == str(person.pk)
        again = await sync_to_async(Page)(tea, sol)
        await again.connect()
        assert await again.closed() == Close.NOT_FOUND


@pytest.mark.parametrize(
    ("header", "text"),
    [
        ((b"accept-language", b"de-AT,de;q=0.9,en;q=0.5"), "Deine Rolle in diesem Space erlaubt das nicht."),
        ((b"cookie", b"django_language=de"), "Deine Rolle in diesem Space erlaubt das nicht."),
        ((b"accept-language", b"tlh"), "Your role in this Space does not allow that."),
    ],
)
async def test_refusals_speak_the_language_of_the_page(
    tea: Space, sol: User, header: tuple[bytes, bytes], text: str
) -> None:
    client = await sync_to_async(Client)()
    await sync_to_async(client.force_login)(sol)
    session = f"{settings.SESSION_COOKIE_NAME}={client.session.session_key}".encode()
    cookies = session + b"; " + header[1] if header[0] == b"cookie" else session
    page = Page(tea, None, [HOST, ORIGIN, (b"cookie", cookies), *([] if header[0] == b"cookie" else [header])])
    assert await page.connect()
    await page.send(type="end", id=1)
    assert (await page.until("error", re=1))["text"] == text
    await page.gone()


async def test_a_fault_gives_back_what_the_connection_held(
    tea: Space, sol: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = await sync_to_async(Page)(tea, sol)
    assert await page.connect()
    await page.until("snapshot")

    async def fail(*_: Any) -> None:
        raise RuntimeError("the database is away")

    monkeypatch.setattr(commands, "carry_out", fail)
    await page.send(type="sync")
    with pytest.raises(RuntimeError):
        await asyncio.wait_for(page.socket.future, WAIT_SECONDS)
    person = await Participant.objects.aget(space=tea, user=sol)
    assert person.away_since is not None
    assert not await presence.connected(str(tea.pk))
    assert str(tea.pk) not in ticker._tickers.get()


async def test_the_host_lost_and_back(tea: Space, hana: User, sol: User) -> None:
    async with pages(tea, sol) as [page]:
        async with pages(tea, hana):
            await page.until("host_back")
        away = await page.until("host_away")
        host = await Participant.objects.aget(space=tea, user=hana)
        assert host.away_since is not None
        grace = away["until"] - host.away_since.timestamp()
        assert grace == pytest.approx(settings.SPACES_HOST_GRACE_SECONDS)
        async with pages(tea, hana):
            await page.until("host_back")


async def test_a_second_page_takes_over(tea: Space, sol: User) -> None:
    async with pages(tea, sol) as [first], pages(tea, sol):
        assert await first.closed() == Close.TAKEN_OVER
        person = await Participant.objects.aget(space=tea, user=sol)
        await first.gone()
        assert (await presence.connected(str(tea.pk)))[str(person.pk)] == 1
        await person.arefresh_from_db()
        assert person.away_since is None


async def test_of_two_pages_opened_at_once_the_later_one_stays(tea: Space, sol: User) -> None:
    """The message of the earlier page may arrive after that of the later page."""
    async with pages(tea, sol) as [first], pages(tea, sol) as [second]:
        assert await first.closed() == Close.TAKEN_OVER
        person = await Participant.objects.aget(space=tea, user=sol)
        await get_channel_layer().group_send(events.personal(person.pk), {"type": "space.taken_over"})
        await events.hint(str(tea.pk), protocol.Reactions(counts={}))
        assert await second.until("reactions")


async def test_a_page_that_was_taken_over_before_it_joined_its_group_closes(tea: Space, sol: User) -> None:
    """A later page has entered before this one had joined its group. Its own message closes it, too."""
    async with pages(tea, sol) as [first]:
        person = await Participant.objects.aget(space=tea, user=sol)
        await sync_to_async(presence.enter)(str(tea.pk), sol, "a later one")
        await get_channel_layer().group_send(events.personal(person.pk), {"type": "space.taken_over"})
        assert await first.closed() == Close.TAKEN_OVER


async def test_the_end_reaches_every_page(tea: Space, hana: User, sol: User) -> None:
    async with pages(tea, hana, sol) as [host, page]:
        await host.send(type="end")
        assert (await page.until("ended"))["why"] == "host"
        assert await page.closed() == Close.ENDED
        assert await host.closed() == Close.ENDED


async def test_pages_that_missed_the_end_get_it_from_the_sweep(
    tea: Space, hana: User, sol: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(to: str, message: dict[str, Any]) -> None:
        raise ConnectionError("Redis is away")

    sweep = sync_to_async(tasks.sweep_presence)
    async with pages(tea, hana, sol) as [host, page]:
        with monkeypatch.context() as broken:
            broken.setattr(layer, "send", fail)
            await sync_to_async(tea.end)()
        await sweep()
        assert (await page.until("ended"))["why"] == "host"
        assert [await page.closed(), await host.closed()] == [Close.ENDED, Close.ENDED]


async def test_the_end_sent_twice_is_one_event(tea: Space, sol: User) -> None:
    async with pages(tea, sol) as [page]:
        await sync_to_async(tea.end)()
        space = await Space.objects.aget(pk=tea.pk)
        await sync_to_async(space.send_end_again)()
        first = await page.until("ended")
        assert first["seq"] == space.seq
        assert await page.closed() == Close.ENDED


async def test_an_offer_without_a_media_node_is_answered_with_a_reason(tea: Space, sol: User) -> None:
    async with pages(tea, sol) as [page]:
        await page.send(type="offer", sdp="v=0", id=7)
        error = await page.until("error", re=7)
        assert error["code"] == "no_node"
        assert error["text"]


async def test_a_frame_that_is_too_big_is_refused() -> None:
    with pytest.raises(protocol.FrameRefused) as refused:
        protocol.parse('{"type":"offer","sdp":"' + "x" * protocol.MAX_FRAME_BYTES + '"}')
    assert refused.value.code == "too_big"


async def test_a_page_that_sends_a_frame_that_is_too_big_learns_it(tea: Space, sol: User) -> None:
    async with pages(tea, sol) as [page]:
        await page.send(type="ask", text="x" * protocol.MAX_FRAME_BYTES)
        assert (await page.until("error"))["code"] == "too_big"
        assert await page.closed() == Close.TOO_BIG
