"""On which media node a Space sounds, and that its pages get a hint when it moves."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from asgiref.sync import async_to_sync

from accounts.models import User
from rooms import events, protocol
from rooms.media.contract import heartbeat
from rooms.media.contract.standing import KEY, parse
from rooms.models import Participant, Space
from rooms.nodes import offers, placement
from rooms.nodes.refusals import SoundReason, SoundRefused
from rooms.refusals import Refused
from rooms.store.client import redis_client
from tests.rig.media.heartbeat import beat, died
from tests.rig.racing import at_once
from tests.rig.rights import give

pytestmark = pytest.mark.django_db(transaction=True)


def test_without_a_node_there_is_no_place(tea: Space) -> None:
    with pytest.raises(SoundRefused):
        placement.place(tea)


@pytest.mark.parametrize("broken", [b"{", b"[]", b'{"name": "one"}', b'{"name": 1, "boot": "1"}'])
def test_a_heartbeat_that_cannot_be_read_hides_no_other_node(tea: Space, broken: bytes) -> None:
    """Such as that of a node of another version. Its Spaces go on elsewhere."""
    beat("one", load=0.1)
    beat("two", load=0.2)
    redis_client().set(heartbeat.KEY.format(name="one"), broken)
    assert placement.place(tea).name == "two"


def test_the_least_loaded_node_gets_the_space_and_keeps_it(tea: Space) -> None:
    beat("one", load=0.5)
    beat("two", load=0.2)
    assert placement.place(tea).name == "two"
    beat("two", load=0.9, peers=10, draining=True, spaces=[str(tea.pk)])
    assert placement.place(Space.objects.get(pk=tea.pk)).name == "two"


def test_a_drained_node_that_has_forgotten_a_space_does_not_get_it_again(tea: Space) -> None:
    """A node closes a Space some seconds after the last person has left. Its row still names the node."""
    beat("one", spaces=[str(tea.pk)])
    placement.place(tea)
    beat("one", draining=True)
    with pytest.raises(SoundRefused) as refused:
        placement.place(Space.objects.get(pk=tea.pk))
    assert refused.value.reason == SoundReason.NO_NODE
    beat("two", boot="2")
    assert placement.place(Space.objects.get(pk=tea.pk)).name == "two"


FULL: list[tuple[dict[str, Any], str]] = [
    ({"peers": 10}, "full"),
    ({"full": True}, "full"),
    ({"peers": 9, "places": 9}, "full"),
    ({"draining": True}, "no_node"),
]


@pytest.mark.parametrize(("state", "code"), FULL)
def test_a_node_that_takes_no_more_is_passed_over(tea: Space, state: dict[str, Any], code: str) -> None:
    beat("one", **state)
    with pytest.raises(SoundRefused) as nowhere:
        placement.place(tea)
    assert nowhere.value.reason == code
    beat("two", load=0.9)
    assert placement.place(tea).name == "two"


def test_a_restarted_node_is_another_one(tea: Space) -> None:
    beat("one")
    placement.place(tea)
    beat("one", boot="2")
    assert (placement.place(tea).boot, tea.boot) == ("2", "2")


def test_a_node_that_redis_forgot_and_knows_again_is_the_same(tea: Space) -> None:
    beat("one")
    placement.place(tea)
    redis_client().delete(heartbeat.NAMES)
    assert placement.nodes() == []
    beat("one")
    beat("two", load=-1.0)
    assert placement.place(tea).name == "one"


def test_the_first_heartbeat_after_an_outage_of_redis_does_not_get_the_spaces_of_other_nodes(tea: Space) -> None:
    beat("one")
    placement.place(tea)
    died("one")
    beat("two", boot="2", steady=heartbeat.LIFE_MS / 1000 - 0.1)
    with pytest.raises(SoundRefused) as nowhere:
        placement.place(Space.objects.get(pk=tea.pk))
    assert nowhere.value.reason == "no_node"
    assert placement.free_places(Space.objects.get(pk=tea.pk)) == 0, "and no one in the queue is called"
    beat("one")
    assert placement.place(Space.objects.get(pk=tea.pk)).name == "one"
    died("one")
    beat("two", boot="2", steady=heartbeat.LIFE_MS / 1000)
    assert placement.free_places(Space.objects.get(pk=tea.pk)) == 10
    assert placement.place(Space.objects.get(pk=tea.pk)).name == "two"


@pytest.mark.parametrize("before", ["", "one"])
def test_a_new_space_and_one_of_a_node_that_was_started_again_need_not_wait(tea: Space, before: str) -> None:
    Space.objects.filter(pk=tea.pk).update(node=before, boot=before and "1")
    beat("one", boot="2", steady=0.0)
    assert placement.place(Space.objects.get(pk=tea.pk)).boot == "2"


def test_a_space_is_placed_by_the_heartbeats_once_it_is_locked(tea: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    beat("one")
    beat("two", boot="2", load=0.5)
    locked = Space.locked

    def meanwhile(pk: Any) -> Space:
        beat("one", draining=True)
        return locked(pk)

    monkeypatch.setattr(Space, "locked", meanwhile)
    assert placement.place(tea).name == "two"


def test_a_live_space_keeps_a_node_that_became_full(tea: Space) -> None:
    beat("one")
    placement.place(tea)
    beat("one", full=True)
    beat("two")
    assert placement.place(Space.objects.get(pk=tea.pk)).name == "one"
    assert placement.free_places(Space.objects.get(pk=tea.pk)) == 0


def test_if_all_nodes_are_full_only_preferred_members_get_one_that_has_a_place(tea: Space) -> None:
    beat("one", full=True, load=0.8)
    beat("two", peers=10, load=0.2)
    beat("three", draining=True)
    with pytest.raises(SoundRefused) as refused:
        placement.place(tea)
    assert refused.value.reason == SoundReason.FULL
    assert placement.place(tea, preferred=True).name == "one"


def test_spaces_that_come_at_once_are_spread_although_no_heartbeat_has_them(
    tea: Space, sol: User, lior: User, open_space: Callable[..., Space]
) -> None:
    for host in (sol, lior):
        give(host, may_host=True)
    beat("one", load=0.10)
    beat("two", load=0.11, boot="2")
    spaces = [tea, *(open_space(User.objects.get(pk=host.pk)) for host in (sol, lior))]
    assert [placement.place(space).name for space in spaces] == ["one", "two", "one"]


def test_two_web_processes_that_place_a_space_at_once_agree(tea: Space) -> None:
    beat("one")
    beat("two", boot="2")
    for _ in range(5):
        Space.objects.filter(pk=tea.pk).update(node="", boot="")
        version = Space.objects.get(pk=tea.pk).standing_version
        seen = [Space.objects.get(pk=tea.pk) for _ in range(6)]
        placed = at_once(*(partial(placement.place, space) for space in seen))
        names = {node.name if isinstance(node, placement.Node) else repr(node) for node in placed}
        row = Space.objects.get(pk=tea.pk)
        assert names == {row.node}
        assert row.standing_version == version + 1


def test_the_standing_names_the_node_that_keeps_the_sound(tea: Space) -> None:
    beat("one", boot="a1")
    placement.place(tea)
    written = parse(str(redis_client().get(KEY.format(space=tea.pk))))
    assert (written.boot, written.boot_before, written.from_ms) == ("a1", "", 0)


def test_a_node_whose_heartbeat_stopped_without_a_goodbye_is_silent(tea: Space) -> None:
    beat("one")
    beat("two")
    died("two")
    assert [name for name, _ in placement.silent_nodes(placement.nodes())] == ["two"]


def test_of_two_that_place_at_once_both_get_the_same_node(tea: Space) -> None:
    beat("one")
    beat("two", load=0.5)
    mine, yours = Space.objects.get(pk=tea.pk), Space.objects.get(pk=tea.pk)
    assert placement.place(mine).name == "one"
    beat("one", load=0.9)
    assert placement.place(yours).name == "one"


def test_after_a_death_a_space_goes_to_a_node_with_places_for_everyone(
    tea: Space, host: Participant, listener: Participant
) -> None:
    beat("one")
    placement.place(tea)
    died("one")
    beat("small", boot="2", peers=9, load=0.30)
    beat("large", boot="3", peers=2, load=0.35)
    assert placement.place(Space.objects.get(pk=tea.pk), preferred=True).name == "large"


def test_if_no_node_has_places_for_everyone_the_one_with_most_takes_the_space(
    tea: Space, host: Participant, listener: Participant, speaker: Participant
) -> None:
    beat("small", peers=9, load=0.30)
    beat("large", boot="2", peers=8, load=0.35)
    assert placement.place(tea).name == "large"


@pytest.fixture
def hinted(monkeypatch: pytest.MonkeyPatch) -> list[events.Hint]:
    """The hints that were sent to the Space. Every offer is answered, without a node."""
    hints: list[events.Hint] = []

    async def note(space: object, hint: events.Hint) -> None:
        hints.append(hint)

    async def answered(*_: Any) -> str:
        return "v=0"

    monkeypatch.setattr(events, "hint", note)
    monkeypatch.setattr(offers, "_ask", answered)
    return hints


async def _offer(person: Participant) -> tuple[str, str]:
    try:
        return await offers.answer(person.pk, "v=0")
    finally:
        await offers.close()


offer = async_to_sync(_offer)


def test_one_hint_says_that_the_sound_moved(
    host: Participant, listener: Participant, hinted: list[events.Hint]
) -> None:
    beat("one")
    offer(host)
    offer(listener)
    assert hinted == []
    died("one")
    beat("two", boot="2")
    assert [offer(listener), offer(host)] == [("v=0", "2")] * 2
    assert hinted == [protocol.SoundMoved(boot="2")]


def test_an_offer_takes_two_steps_in_threads(
    host: Participant, hinted: list[events.Hint], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One places the Space and asks the queue, and one notes that there is sound: a storm of joins is made of these."""
    run, steps = asyncio.BaseEventLoop.run_in_executor, list[object]()

    def counted(loop: asyncio.BaseEventLoop, *given: Any) -> Any:
        steps.append(given)
        return run(loop, *given)

    monkeypatch.setattr(asyncio.BaseEventLoop, "run_in_executor", counted)
    beat("one")
    offer(host)
    assert len(steps) == 2


def test_an_offer_is_refused_if_every_node_is_full(host: Participant, hinted: list[events.Hint]) -> None:
    beat("one", peers=10)
    with pytest.raises(SoundRefused) as refused:
        offer(host)
    assert refused.value.reason == "full"


def test_a_member_who_had_sound_gets_it_again_on_a_full_node_until_they_leave(
    tea: Space, host: Participant, listener: Participant, hinted: list[events.Hint]
) -> None:
    beat("one")
    offer(host)
    offer(listener)
    beat("one", full=True)
    assert offer(listener) == ("v=0", "1")
    listener.leave()
    with pytest.raises(SoundRefused) as refused:
        offer(tea.enter(listener.user))
    assert refused.value.reason == "full"


def test_the_place_of_the_sound_can_be_asked_even_if_the_node_is_full(
    tea: Space, listener: Participant, hinted: list[events.Hint]
) -> None:
    beat("one", full=True)
    placement.place(tea, preferred=True)

    async def place() -> tuple[str, placement.Node]:
        try:
            return await offers.placed(listener.pk)
        finally:
            await offers.close()

    space, node = async_to_sync(place)()
    assert (space, node.name) == (str(tea.pk), "one")


def test_a_host_opens_a_space_on_a_busy_node_and_the_listeners_wait(
    host: Participant, listener: Participant, hinted: list[events.Hint]
) -> None:
    beat("one", full=True)
    assert offer(host) == ("v=0", "1")
    with pytest.raises(SoundRefused) as refused:
        offer(listener)
    assert refused.value.reason == "full"


def test_no_hint_is_sent_if_the_node_was_started_again(host: Participant, hinted: list[events.Hint]) -> None:
    """Nothing sounds on the boot before, so the browsers notice without a hint."""
    beat("one")
    offer(host)
    beat("one", boot="2")
    offer(host)
    assert hinted == []


def test_all_calls_of_nodes_share_one_session() -> None:
    async def sessions() -> int:
        made = {id(offers._calls.get()) for _ in range(3)}
        await offers.close()
        return len(made)

    assert async_to_sync(sessions)() == 1


@pytest.mark.parametrize("how", ["leave", "remove", "end"])
def test_a_member_who_is_not_in_the_space_gets_no_sound(
    tea: Space, host: Participant, listener: Participant, hinted: list[events.Hint], how: str
) -> None:
    beat("one")
    {"leave": listener.leave, "remove": lambda: listener.remove(host), "end": tea.end}[how]()
    with pytest.raises(Refused):
        offer(listener)
