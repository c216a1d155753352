"""Opening, taking in chunks, collecting files without a message, closing."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.models import User
from recordings import files, tasks
from recordings.chunks import ChunkRefused, checked, meta_of
from recordings.models import Chunk, Recording, Track
from recordings.models.mixable import State
from recordings.models.recording import SETTLE
from rooms.management.commands.runmedia import describe
from rooms.models import Participant, Space
from tests.recordings.conftest import put, turn_of
from tests.rig.racing import at_once
from tests.rig.sound.captured import captured, tone


def test_a_space_that_starts_has_a_recording(tea: Space, django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        other = Space.open(
            tea.host.__class__.objects.create_user("ida", may_host=True), title="x", audience="followers"
        )
    assert other.recording.state == State.OPEN
    assert other.recording.started_at == other.started_at


def test_a_space_that_ends_closes_its_recording(tea: Space, django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        tea.end()
    recording = Recording.objects.get(space=tea)
    tea.refresh_from_db()
    assert recording.state == State.CLOSING
    assert recording.ended_at == tea.ended_at
    assert recording.mix_at
    assert tea.ended_at
    assert recording.mix_at >= tea.ended_at + SETTLE


def test_the_task_takes_in_what_the_node_says(tea: Space, host: Participant) -> None:
    (chunk,) = captured(tone(440, 3), 250, tea.pk, turn_of(host).pk, host.pk)
    put(chunk)
    tasks.ingest(chunk.key, describe(chunk))
    row = Chunk.objects.get()
    assert (row.key, row.start_ms, row.duration_ms) == (chunk.key, 250, 3000)
    assert (row.size, row.sha256) == (len(chunk.data), chunk.sha256)
    assert row.track.turn == turn_of(host)
    assert row.track.participant == host
    assert row.track.recording.space == tea


def test_the_listeners_mix_is_a_track_without_a_person(recording: Recording, speak: Callable) -> None:
    speak(None, tone(440, 6), 0)
    track = Track.objects.get()
    assert (track.kind, track.turn, track.participant) == (Track.Kind.MIX, None, None)
    assert track.chunks.count() == 2


def test_the_same_chunk_twice_is_one(recording: Recording, host: Participant, speak: Callable) -> None:
    (chunk,) = speak(host, tone(440, 3), 0)
    recording.add_chunk(meta_of(chunk.data))
    assert recording.collect() == 0
    assert Chunk.objects.count() == 1


def test_a_copy_under_another_name_is_deleted(recording: Recording, host: Participant, speak: Callable) -> None:
    (chunk,) = speak(host, tone(440, 3), 0)
    copy = put(chunk)
    assert copy != chunk.key
    recording.collect()
    assert list(files.walk(recording.prefix)) == [chunk.key]


def test_another_chunk_at_the_same_time_is_refused_and_stays(
    recording: Recording, host: Participant, speak: Callable
) -> None:
    speak(host, tone(440, 3), 0)
    (other,) = captured(tone(880, 3), 0, recording.space_id, turn_of(host).pk, host.pk)
    put(other)
    assert recording.collect() == 0
    assert len(list(files.walk(recording.prefix))) == 2


def test_collect_takes_in_files_without_a_message(recording: Recording, host: Participant, speak: Callable) -> None:
    chunks = speak(host, tone(440, 12), 1000, message=False)
    assert Chunk.objects.count() == 0
    assert recording.collect() == 3
    assert set(Chunk.objects.values_list("key", flat=True)) == {chunk.key for chunk in chunks}
    assert recording.collect() == 0


def test_collect_leaves_what_is_no_chunk(recording: Recording, host: Participant, speak: Callable) -> None:
    (chunk,) = captured(tone(440, 3), 0, recording.space_id, turn_of(host).pk, host.pk)
    put(chunk.__class__(chunk.space, chunk.turn, chunk.participant, 0, 3000, chunk.data[:-50]))
    assert recording.collect() == 0
    assert list(files.walk(recording.prefix)) == [chunk.key]


def test_a_chunk_of_no_turn_of_this_space_is_refused(recording: Recording, host: Participant) -> None:
    (unknown,) = captured(tone(440, 1), 0, recording.space_id, uuid4(), host.pk)
    (elsewhere,) = captured(tone(440, 1), 0, uuid4(), turn_of(host).pk, host.pk)
    (stranger,) = captured(tone(440, 1), 0, recording.space_id, turn_of(host).pk, uuid4())
    for chunk in (unknown, elsewhere, stranger):
        with pytest.raises(ChunkRefused):
            recording.add_chunk(meta_of(chunk.data))
    with pytest.raises(ChunkRefused, match="another Space"):
        recording.add_chunk(meta_of(elsewhere.data), f"{recording.prefix}/x.opus")
    assert not Track.objects.exists()


def test_the_tracks_of_two_recordings_stay_apart(recording: Recording, sol: User, speak: Callable) -> None:
    speak(None, tone(440, 2), 0)
    sol.grant_hosting()
    other = Recording.open_for(Space.open(sol, title="Other", audience=Space.Audience.FOLLOWERS))
    (chunk,) = captured(tone(440, 2), 0, other.space_id, None, None)
    other.add_chunk(meta_of(chunk.data))
    assert recording.tracks.get() != other.tracks.get()
    assert other.tracks.get().chunks.get().key == chunk.key


def test_a_key_outside_the_folder_is_refused(recording: Recording, host: Participant) -> None:
    (chunk,) = captured(tone(440, 1), 0, recording.space_id, turn_of(host).pk, host.pk)
    with pytest.raises(ChunkRefused, match="outside"):
        recording.add_chunk(meta_of(chunk.data), f"{uuid4()}/x.opus")


@pytest.mark.parametrize(
    "wrong", [{"start_ms": -1}, {"sha256": "x"}, {"space": "no uuid"}, {"extra": 1}, {"size": "big"}, {"turn": 7}]
)
def test_a_message_that_is_no_chunk_is_refused(recording: Recording, host: Participant, wrong: dict) -> None:
    (chunk,) = captured(tone(440, 1), 0, recording.space_id, turn_of(host).pk, host.pk)
    with pytest.raises(ChunkRefused):
        checked(describe(chunk) | wrong)
    tasks.ingest(chunk.key, describe(chunk) | wrong)
    assert not Chunk.objects.exists()


def test_a_message_about_an_unknown_space_changes_nothing(db: None) -> None:
    (chunk,) = captured(tone(440, 1), 0, uuid4(), None, None)
    put(chunk)
    tasks.ingest(chunk.key, describe(chunk))
    assert not Recording.objects.exists()
    assert list(files.walk(chunk.space)) == [chunk.key]


def test_close_sets_the_date_once(tea: Space, recording: Recording, settings: Any) -> None:
    settings.RECORDING_RETENTION_DAYS = 7
    tea.end()
    recording.close()
    recording.refresh_from_db()
    tea.refresh_from_db()
    assert tea.ended_at
    assert recording.purge_at == recording.retained_until == tea.ended_at + timedelta(days=7)
    before = recording.mix_at
    recording.close()
    recording.refresh_from_db()
    assert recording.mix_at == before


def test_a_late_chunk_has_the_mix_made_again(ended: Recording, host: Participant, speak: Callable) -> None:
    Recording.objects.filter(pk=ended.pk).update(state=State.MIXED)
    before = timezone.now()
    speak(host, tone(440, 2), 9000)
    ended.refresh_from_db()
    assert ended.state == State.CLOSING
    assert ended.mix_at
    assert ended.mix_at >= before + SETTLE


def test_the_sweep_opens_and_closes_what_the_signals_missed(tea: Space) -> None:
    tasks.sweep()
    assert tea.recording.state == State.OPEN
    tea.end()
    tasks.sweep()
    tea.recording.refresh_from_db()
    assert tea.recording.state == State.CLOSING


def test_the_sweep_finds_a_space_that_came_and_went(tea: Space) -> None:
    tea.end()
    tasks.sweep()
    assert Recording.objects.get(space=tea).state == State.CLOSING


def test_the_sweep_collects_when_it_is_time(recording: Recording, host: Participant, speak: Callable) -> None:
    speak(host, tone(440, 2), 0, message=False)
    tasks.sweep()
    assert not Chunk.objects.exists()
    Recording.objects.update(collect_at=timezone.now())
    tasks.sweep()
    assert Chunk.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_one_chunk_sent_eight_times_at_once_is_one_row(recording: Recording, host: Participant) -> None:
    (chunk,) = captured(tone(440, 1), 0, recording.space_id, turn_of(host).pk, host.pk)
    put(chunk)
    assert at_once(*[partial(tasks.ingest, chunk.key, describe(chunk))] * 8) == [None] * 8
    assert Chunk.objects.count() == Track.objects.count() == 1
