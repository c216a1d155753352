"""The queue for a place in the sound: its order, who is called, who loses their place."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from django.conf import settings
from django.utils import timezone

from accounts.models import User
from rooms import tasks
from rooms.models import Participant, Space
from rooms.store import keys, queue
from rooms.store.client import redis_client
from tests.rig.racing import at_once

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE = ("ana", "bo", "cy", "di", "eli")


@pytest.fixture
def crowd(tea: Space) -> list[Participant]:
    """Five listeners, in the order in which they came."""
    people = [User.objects.create_user(name) for name in PEOPLE]
    for person in people:
        person.follow(tea.host)
    return [tea.enter(person) for person in people]


@pytest.fixture
def waiting(tea: Space, crowd: list[Participant]) -> list[str]:
    """All of them in the queue."""
    for place, person in enumerate(crowd, 1):
        assert queue.join(tea.pk, person.pk) == place
    return [str(person.pk) for person in crowd]


def order(tea: Space) -> list[str]:
    return list(redis_client().zrange(keys.QUEUE.format(space=tea.pk), 0, -1))


def test_a_member_who_asks_again_keeps_their_place(tea: Space, waiting: list[str]) -> None:
    assert queue.join(tea.pk, waiting[3]) == 4
    assert order(tea) == waiting


def test_no_one_overtakes_members_who_wait(tea: Space, waiting: list[str], listener: Participant) -> None:
    assert not queue.may_enter(tea.pk, listener.pk)
    assert not queue.may_enter(tea.pk, waiting[0])


def test_everyone_may_enter_if_no_one_waits(tea: Space, listener: Participant) -> None:
    assert queue.may_enter(tea.pk, listener.pk)


def test_as_many_are_called_as_there_are_free_places_and_in_order(tea: Space, waiting: list[str]) -> None:
    here = set(waiting)
    assert queue.call_next(tea.pk, 2, here) == {
        waiting[0]: 0, waiting[1]: 0, waiting[2]: 1, waiting[3]: 2, waiting[4]: 3
    }  # fmt: skip
    assert [queue.may_enter(tea.pk, who) for who in waiting] == [True, True, False, False, False]
    assert queue.call_next(tea.pk, 2, here) == {}, "those who were called are on their way"
    queue.got_sound(tea.pk, waiting[1])
    assert queue.call_next(tea.pk, 2, here) == {waiting[2]: 0, waiting[3]: 1, waiting[4]: 2}


def test_a_called_member_who_finds_the_node_full_is_first_again(tea: Space, waiting: list[str]) -> None:
    queue.call_next(tea.pk, 2, set(waiting))
    assert queue.join(tea.pk, waiting[3]) == 2, "two are on their way in"
    assert queue.join(tea.pk, waiting[0]) == 1
    assert not queue.may_enter(tea.pk, waiting[0])
    assert queue.call_next(tea.pk, 2, set(waiting))[waiting[0]] == 0


def test_no_more_are_called_than_a_node_can_take_at_once(tea: Space, waiting: list[str]) -> None:
    called = [who for who, place in queue.call_next(tea.pk, 10_000, set(waiting)).items() if place == 0]
    assert called == waiting[: queue.MOST_CALLED]


def test_without_free_places_no_one_is_called_and_no_place_is_sent_twice(tea: Space, waiting: list[str]) -> None:
    assert queue.call_next(tea.pk, 0, set(waiting)) == {}, "their places were sent when they came"


def test_a_lost_connection_is_passed_over_and_keeps_its_place(tea: Space, waiting: list[str]) -> None:
    away = waiting[0]
    assert queue.call_next(tea.pk, 1, set(waiting) - {away})[waiting[1]] == 0
    queue.got_sound(tea.pk, waiting[1])
    assert [who for who, place in queue.call_next(tea.pk, 1, set(waiting)).items() if place == 0] == [away]


def test_a_called_member_who_does_not_come_goes_to_the_end(
    tea: Space, waiting: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "CALL_SECONDS", -1.0)
    queue.call_next(tea.pk, 1, set(waiting))
    assert queue.call_next(tea.pk, 0, set(waiting)) == {waiting[0]: 5}
    assert order(tea) == [*waiting[1:], waiting[0]]


def test_a_called_member_whose_connection_is_lost_stays_first(
    tea: Space, waiting: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "CALL_SECONDS", -1.0)
    queue.call_next(tea.pk, 1, set(waiting))
    queue.call_next(tea.pk, 0, set(waiting[1:]))
    assert order(tea) == waiting


WAYS_OUT: dict[str, Callable[[Participant, Participant], object]] = {
    "leaves": lambda person, host: person.leave(),
    "is removed": lambda person, host: person.remove(host),
    "is blocked": lambda person, host: person.block(host),
}


@pytest.mark.parametrize("how", WAYS_OUT)
def test_a_member_who_is_out_of_the_space_is_out_of_the_queue(
    tea: Space, host: Participant, crowd: list[Participant], waiting: list[str], how: str
) -> None:
    person = Participant.objects.get(pk=crowd[1].pk)
    WAYS_OUT[how](person, host)
    assert order(tea) == [waiting[0], *waiting[2:]]


def kept(tea: Space) -> list[str]:
    """The keys of the queue of a Space."""
    names = (keys.QUEUE, keys.CALLED, keys.PLACES, keys.HAD_SOUND)
    return [key for key in (name.format(space=tea.pk) for name in names) if redis_client().exists(key)]


def test_redis_forgets_each_queue_in_the_end(tea: Space, waiting: list[str]) -> None:
    assert len(kept(tea)) == 2, "no one was called yet, and no one has had sound"
    assert all(0 < redis_client().ttl(key) <= queue.LIFE_SECONDS for key in kept(tea))


def test_nothing_is_kept_of_the_queue_of_an_ended_space(tea: Space, waiting: list[str]) -> None:
    queue.call_next(tea.pk, 1, set(waiting))
    queue.got_sound(tea.pk, waiting[1])
    assert len(kept(tea)) == 4
    tea.end()
    assert kept(tea) == []


def test_a_page_that_stays_away_loses_the_place_and_one_that_comes_back_does_not(
    tea: Space, host: Participant, crowd: list[Participant], waiting: list[str]
) -> None:
    away = timezone.now() - timedelta(seconds=settings.SPACES_AWAY_SECONDS + 1)
    for person in crowd[:2]:
        person.lose()
    tea.enter(crowd[0].user)
    Participant.objects.filter(pk=crowd[1].pk).update(away_since=away)
    tasks.sweep_presence()
    assert order(tea) == [waiting[0], *waiting[2:]]


def test_a_person_who_had_sound_is_preferred_until_they_leave(tea: Space, lior: User, listener: Participant) -> None:
    def was_heard(person: Participant) -> bool:
        return queue.had_sound(tea.pk, person.pk, since=person.entered_at)

    assert not was_heard(listener)
    queue.got_sound(tea.pk, listener.pk)
    assert was_heard(listener)
    listener.lose()
    assert was_heard(tea.enter(lior)), "back within the grace time"
    listener.leave()
    assert not was_heard(tea.enter(lior)), "lior left, and comes as a new listener"


def test_members_who_come_at_once_have_different_places(tea: Space, crowd: list[Participant]) -> None:
    places = at_once(*(partial(queue.join, tea.pk, person.pk) for person in crowd))
    assert sorted(places, key=str) == [1, 2, 3, 4, 5]


def test_processes_that_call_at_once_do_not_call_more_than_there_are_free_places(
    tea: Space, waiting: list[str]
) -> None:
    """`rooms.live.ticker` lets one process call. Even without that no one is called out of turn."""
    answers = at_once(*(partial(queue.call_next, tea.pk, 2, set(waiting)) for _ in range(4)))
    called = {who for one in answers if isinstance(one, dict) for who, place in one.items() if place == 0}
    assert called == set(waiting[:2])
