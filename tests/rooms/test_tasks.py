"""The sweeps: they find in the rows what a lost message or a killed process left undone."""

import asyncio
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from celery import current_app
from django.utils import timezone

from accounts.models import Block, Follow, User
from rooms import tasks
from rooms.live import presence, watchdog
from rooms.media.contract.standing import KEY
from rooms.media.hls import signature
from rooms.models import Participant, Space
from rooms.rules import Role
from rooms.store import keys, standing
from rooms.store.client import close_async_redis_client, redis_client
from tests.rig.rights import give

pytestmark = pytest.mark.django_db(transaction=True)


def here(*people: Participant) -> None:
    """Give these people a lease, as a connection would."""

    async def lease() -> None:
        for person in people:
            await presence.renew(str(person.space_id), {f"{person.pk}:test"})
        await close_async_redis_client()

    asyncio.run(lease())


def long_ago(person: Participant, seconds: int) -> None:
    Participant.objects.filter(pk=person.pk).update(away_since=timezone.now() - timedelta(seconds=seconds))


def test_a_person_without_a_connection_is_marked_and_one_with_a_connection_is_not(
    tea: Space, host: Participant, listener: Participant
) -> None:
    here(host)
    tasks.sweep_presence()
    host.refresh_from_db()
    listener.refresh_from_db()
    assert host.away_since is None
    assert listener.away_since is not None


def test_a_lost_listener_is_counted_out_after_the_grace_time(
    tea: Space, host: Participant, listener: Participant
) -> None:
    here(host)
    long_ago(listener, 10)
    tasks.sweep_presence()
    assert tea.listener_count == 1
    long_ago(listener, 25)
    tasks.sweep_presence()
    assert tea.listener_count == 0


def test_a_lost_speaker_gives_the_microphone_back(tea: Space, host: Participant, speaker: Participant) -> None:
    here(host)
    long_ago(speaker, 25)
    tasks.sweep_presence()
    speaker.refresh_from_db()
    assert (speaker.role, speaker.left_at is None) == (Role.LISTENER, False)
    assert speaker.turns.get().ended_at is not None


def test_a_space_ends_in_order_when_its_host_stays_away(tea: Space, host: Participant) -> None:
    long_ago(host, 50)
    tasks.sweep_presence()
    tea.refresh_from_db()
    assert tea.state == Space.State.LIVE
    long_ago(host, 61)
    tasks.sweep_presence()
    tasks.sweep_presence()
    tea.refresh_from_db()
    assert (tea.state, tea.ended_why) == (Space.State.ENDED, Space.Why.HOST_LOST)


def test_a_host_gets_time_to_arrive(tea: Space) -> None:
    person = tea.participants.get()
    long_ago(person, 200)
    tasks.sweep_presence()
    tea.refresh_from_db()
    assert tea.state == Space.State.LIVE
    long_ago(person, 301)
    tasks.sweep_presence()
    tea.refresh_from_db()
    assert tea.state == Space.State.ENDED


@pytest.mark.parametrize(("minutes", "connected", "frames"), [(1, True, ["ended"]), (1, False, []), (11, True, [])])
def test_the_end_is_sent_again_for_a_while_if_a_page_is_still_connected(
    tea: Space, listener: Participant, sent: list[dict[str, Any]], minutes: int, connected: bool, frames: list[str]
) -> None:
    tea.end()
    Space.objects.update(ended_at=timezone.now() - timedelta(minutes=minutes))
    if connected:
        here(listener)
    before = sent.pop()
    sent.clear()
    tasks.sweep_presence()
    assert [frame["type"] for frame in sent] == frames
    assert all(frame == before for frame in sent), "of the same number, so that pages that know it ignore it"


def test_a_suspended_member_is_found_even_if_the_signal_was_lost(tea: Space, host: Participant, sol: User) -> None:
    person = tea.enter(sol)
    here(host, person)
    give(sol, suspended_until=timezone.now() + timedelta(days=1))
    tasks.sweep_presence()
    person.refresh_from_db()
    assert person.left_at is not None


def test_a_space_goes_on_when_redis_had_forgotten_who_is_connected(
    tea: Space, host: Participant, listener: Participant, speaker: Participant
) -> None:
    tasks.sweep_presence()
    for person in (host, listener, speaker):
        long_ago(person, 70)
    here(host, listener, speaker)
    tasks.sweep_presence()
    tea.refresh_from_db()
    assert tea.state == Space.State.LIVE
    assert not tea.participants.filter(away_since__isnull=False).exists()
    assert [person.role for person in tea.stage()] == [Role.HOST, Role.SPEAKER]


def test_a_member_who_comes_back_while_the_sweep_looks_is_not_counted_out(
    tea: Space, host: Participant, monkeypatch: pytest.MonkeyPatch
) -> None:
    long_ago(host, 61)
    looked = presence.connected_now

    def back_at_the_second_look(space: object) -> set[str]:
        found = looked(space)
        here(host)
        return found

    monkeypatch.setattr(presence, "connected_now", back_at_the_second_look)
    tasks.sweep_presence()
    host.refresh_from_db()
    tea.refresh_from_db()
    assert (tea.state, host.away_since) == (Space.State.LIVE, None)


def test_an_old_connection_that_ends_late_does_not_undo_a_new_one(tea: Space, host: Participant, hana: User) -> None:
    presence.enter(str(tea.pk), hana, "new")
    presence.lose(host)
    host.refresh_from_db()
    assert host.away_since is None


@pytest.mark.parametrize("how", ["blocked", "unfollowed", "deactivated"])
def test_a_member_who_lost_the_right_to_be_here_is_found_even_if_the_signal_was_lost(
    tea: Space, host: Participant, listener: Participant, hana: User, lior: User, how: str
) -> None:
    here(host, listener)
    if how == "blocked":
        Block.objects.create(blocker=hana, blocked=lior)
    elif how == "unfollowed":
        Follow.objects.filter(follower=lior).delete()
    else:
        give(lior, is_active=False)
    tasks.sweep_presence()
    listener.refresh_from_db()
    host.refresh_from_db()
    assert (listener.left_at is None, host.left_at is None) == (False, True)
    assert str(listener.pk) in Space.objects.get(pk=tea.pk).standing().removed


def test_no_one_with_a_right_to_be_here_is_astray(
    hana: User, sol: User, dee: User, tea: Space, host: Participant, speaker: Participant, listener: Participant
) -> None:
    assert not Participant.objects.astray().exists()
    tea.end()
    named = Space.open(hana, title="For dee", audience=Space.Audience.NAMED, invited=[dee])
    guest = named.enter(dee)
    assert not Participant.objects.astray().exists()
    named.invitations.all().delete()
    assert Participant.objects.astray().get() == guest


def test_a_deactivated_host_cannot_go_on(tea: Space, host: Participant) -> None:
    here(host)
    give(host.user, is_active=False)
    tasks.sweep_presence()
    tea.refresh_from_db()
    assert (tea.state, tea.ended_why) == (Space.State.ENDED, Space.Why.SUSPENDED)


def test_a_member_who_left_is_out_of_the_sound_once_blocked(
    tea: Space, host: Participant, listener: Participant, hana: User, lior: User
) -> None:
    """A page may leave and keep its connections."""
    listener.leave()
    left_at = listener.left_at
    hana.block(lior)
    listener.refresh_from_db()
    assert listener.left_at == left_at
    assert str(listener.pk) in Space.objects.get(pk=tea.pk).standing().removed


def test_a_block_while_a_member_enters_keeps_them_out(
    tea: Space, host: Participant, hana: User, sol: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """hana's block finds no one to take out, since sol is still entering. sol's entering finds no block yet."""
    enter = Space.enter

    def slowly(space: Space, user: User) -> Participant:
        person = enter(space, user)
        Block.objects.create(blocker=hana, blocked=sol)
        return person

    monkeypatch.setattr(Space, "enter", slowly)
    person = presence.enter(str(tea.pk), sol, "page")
    person.refresh_from_db()
    assert person.left_at is not None


def test_suspending_the_host_ends_the_space(tea: Space, host: Participant, hana: User) -> None:
    hana.suspend(timezone.now() + timedelta(days=1))
    tea.refresh_from_db()
    assert (tea.state, tea.ended_why) == (Space.State.ENDED, Space.Why.SUSPENDED)


def test_standings_that_redis_lost_are_written_again(tea: Space) -> None:
    key = KEY.format(space=tea.pk)
    redis_client().delete(key)
    tasks.rewrite_standings()
    assert msgspec.json.decode(redis_client().get(key) or "{}")["version"] == tea.standing_version


def test_the_standing_of_an_end_that_redis_missed_is_written_again(tea: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(standing, "write", lambda space: None)
        tea.end()
    tasks.rewrite_standings()
    assert msgspec.json.decode(redis_client().get(KEY.format(space=tea.pk)) or "{}")["ended"] is True


def test_files_that_a_stopped_node_left_are_swept_and_those_of_a_live_one_stay(settings: Any, tmp_path: Path) -> None:
    settings.HLS_DIR = tmp_path
    left, fresh = (tmp_path / signature.folder("s3cret", name) for name in ("left", "fresh"))
    for folder in (left, fresh):
        folder.mkdir()
        (folder / "name.m4s").write_bytes(b"sound")
    os.utime(left, (0, 0))
    tasks.sweep_hls()
    assert list(tmp_path.iterdir()) == [fresh]


def test_beat_runs_every_task_of_rooms(settings: Any) -> None:
    planned = {line["task"] for line in settings.CELERY_BEAT_SCHEDULE.values()}
    assert {name for name in current_app.tasks if name.startswith("rooms.")} == {
        name for name in planned if name.startswith("rooms.")
    }


def test_no_one_is_lost_while_a_web_process_does_not_answer(
    tea: Space, host: Participant, listener: Participant
) -> None:
    long_ago(listener, 25)
    redis_client().set(keys.HELD, 1)
    tasks.sweep_presence()
    listener.refresh_from_db()
    host.refresh_from_db()
    assert listener.left_at is None
    assert host.away_since is None
    redis_client().delete(keys.HELD)
    tasks.sweep_presence()
    listener.refresh_from_db()
    assert listener.left_at is not None
    assert not watchdog.is_held()


def test_who_is_back_is_noted_meanwhile(tea: Space, listener: Participant) -> None:
    long_ago(listener, 5)
    here(listener)
    redis_client().set(keys.HELD, 1)
    tasks.sweep_presence()
    redis_client().delete(keys.HELD)
    listener.refresh_from_db()
    assert listener.away_since is None


def stayed(person: Participant, minutes: float, left: bool) -> None:
    """Let `person` have come so many minutes ago."""
    now = timezone.now()
    came = now - timedelta(minutes=minutes)
    Participant.objects.filter(pk=person.pk).update(
        entered_at=came, connected_at=came, left_at=now if left else None, away_since=None
    )


@pytest.mark.parametrize(
    ("minutes", "left", "counts"), [(5.5, False, True), (5.5, True, True), (4.5, False, False), (4.5, True, False)]
)
def test_who_stayed_in_a_space_of_another_person_counts_as_a_follower(
    tea: Space, listener: Participant, lior: User, minutes: float, left: bool, counts: bool
) -> None:
    stayed(listener, minutes, left)
    tasks.prove_listeners()
    lior.refresh_from_db()
    assert (lior.counts_from is not None) == counts


def test_a_stay_counts_after_the_end_of_the_space(tea: Space, listener: Participant, lior: User) -> None:
    stayed(listener, 6, left=False)
    tea.end()
    tasks.prove_listeners()
    lior.refresh_from_db()
    assert lior.counts_from is not None


def test_hosts_do_not_count_by_their_own_space(tea: Space, host: Participant, hana: User) -> None:
    stayed(host, 60, left=False)
    tasks.prove_listeners()
    hana.refresh_from_db()
    assert hana.counts_from is None


def test_suspended_people_do_not_begin_to_count(tea: Space, listener: Participant, lior: User) -> None:
    stayed(listener, 60, left=False)
    lior.suspend(timezone.now() + timedelta(days=1))
    tasks.prove_listeners()
    lior.refresh_from_db()
    assert lior.counts_from is None
