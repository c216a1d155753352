"""What a page knows of a Space when it connects."""

from collections.abc import Callable
from threading import Event
from typing import Any
from uuid import UUID

import pytest
from asgiref.sync import async_to_sync
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from rooms import rules
from rooms.live import commands, snapshot
from rooms.models import Participant, Space
from rooms.protocol import Snapshot
from tests.rig.racing import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def faces(space: Space, me: Participant) -> list[str]:
    return [person.handle for person in snapshot.of(space, me).faces]


def test_a_listener_is_among_the_faces_however_many_came_before(
    tea: Space, host: Participant, listener: Participant, sol: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = tea.enter(sol)
    assert faces(tea, host) == faces(tea, last) == ["lior", "sol"]
    monkeypatch.setattr(snapshot, "FACES", 1)
    assert faces(tea, host) == faces(tea, listener) == ["lior"]
    assert faces(tea, last) == ["sol"]


def test_two_faces_cost_no_more_queries_than_one(tea: Space, listener: Participant, sol: User) -> None:
    def questions() -> int:
        with CaptureQueriesContext(connection) as asked:
            snapshot.of(Space.objects.get(pk=tea.pk), listener)
        return len(asked)

    before = questions()
    tea.enter(sol)
    assert faces(tea, listener) == ["lior", "sol"]
    assert questions() == before


# The boot that has the sound
def settled(tea: Space, *place: Any) -> Space:
    with transaction.atomic():
        Space.locked(tea.pk).settle(*place)
    return Space.objects.get(pk=tea.pk)


def test_a_snapshot_names_the_boot_for_pages_that_missed_a_move(tea: Space, listener: Participant) -> None:
    assert snapshot.of(tea, listener).boot == ""
    assert snapshot.of(settled(tea, "one", "a1"), listener).boot == "a1"
    assert snapshot.of(settled(tea, "two", "b1"), listener).boot == "b1"


def test_a_snapshot_names_no_boot_while_two_nodes_have_the_sound(tea: Space, listener: Participant) -> None:
    hour = 3_600_000
    assert snapshot.of(settled(tea, "two", "b1", "a1", tea.room_ms + hour), listener).boot == ""
    assert snapshot.of(settled(tea, "two", "b1", "a1", 0), listener).boot == "b1", "it is over, however it went"


# Of one moment
take: Callable[[UUID], Snapshot] = async_to_sync(commands.take_snapshot)


def test_a_snapshot_waits_for_no_lock(tea: Space, listener: Participant) -> None:
    """The Space changes all the while. A storm of joins does that for minutes."""
    with transaction.atomic():
        Space.locked(tea.pk)
        [seen] = at_once(lambda: take(listener.pk))
    assert isinstance(seen, Snapshot)


def test_snapshots_and_events_together_leave_no_gap(
    tea: Space,
    host: Participant,
    listener: Participant,
    sent: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A snapshot that is taken amid changes, and all later events, add up to what the rows hold."""
    monkeypatch.setattr(rules, "ASK_PAUSE", 0.0)
    done = Event()

    def change() -> None:
        try:
            for _ in range(20):
                listener.ask_to_speak()
                listener.withdraw()
        finally:
            done.set()

    def look() -> list[Snapshot]:
        seen = [take(host.pk)]
        while not done.is_set():
            seen.append(take(host.pk))
        return [*seen, take(host.pk)]

    _, *looks = at_once(change, look, look)
    numbers = [frame["seq"] for frame in sent]
    assert numbers == list(range(numbers[0], numbers[0] + 40))
    waiting = {frame["seq"]: int(frame["type"] == "asked") for frame in sent}
    for seen in looks:
        assert isinstance(seen, list)
        assert [len(shot.requests) for shot in seen] == [waiting.get(shot.seq, 0) for shot in seen]
        assert seen[-1].seq == numbers[-1]
