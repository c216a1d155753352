"""The mix as work: claimed once, taken over from dead workers, tried again, and repeated for late chunks."""

import io
import json
from collections.abc import Callable

import pytest
from django.utils import timezone

from recordings import archive as module
from recordings import files, tasks
from recordings.archive import archive
from recordings.models import ClaimLost, Recording
from recordings.models.mixable import BACKOFF, LEASE, State
from rooms.models import Participant, Space
from tests.rig.racing import at_once
from tests.rig.sound.captured import Samples, decoded, heard_from_to, tone


def assert_heard(sound: Samples, hertz: float, start: int, stop: int) -> None:
    ((first, last),) = heard_from_to(sound, hertz)
    assert first == pytest.approx(start, abs=100)
    assert last == pytest.approx(stop, abs=100)


def test_hana_and_sol_are_heard_in_the_mixed_file(
    tea: Space, recording: Recording, host: Participant, speaker: Participant, speak: Callable
) -> None:
    speak(host, tone(440, 7), 1000)
    speak(speaker, tone(1000, 6), 6000)
    speak(None, tone(3000, 12), 0)
    tea.end()
    recording.close()
    assert archive(recording)
    recording.refresh_from_db()
    sound = decoded(files.read(recording.mix_key))
    assert_heard(sound, 440, 1000, 8000)
    assert_heard(sound, 1000, 6000, 12000)
    assert heard_from_to(sound, 3000) == []  # what the listeners heard is not mixed in once more
    assert recording.state == State.MIXED
    assert recording.duration_ms == 12000
    assert recording.loudness == pytest.approx(-16, abs=0.5)
    assert (recording.progress, recording.attempts, recording.error) == (100, 0, "")
    assert json.loads(files.read(recording.waveform_key))["length"] > 1000


def test_a_recording_without_sound_is_mixed_to_nothing(tea: Space, recording: Recording) -> None:
    tea.end()
    recording.close()
    assert archive(recording)
    recording.refresh_from_db()
    assert (recording.state, recording.mix_key, recording.duration_ms) == (State.MIXED, "", 0)


def test_a_live_recording_is_not_mixed(recording: Recording, host: Participant, speak: Callable) -> None:
    speak(host, tone(440, 1), 0)
    assert not archive(recording)


def test_mixing_twice_leaves_one_mix(ended: Recording) -> None:
    assert archive(ended)
    ended.refresh_from_db()
    first = ended.mix_key
    assert not archive(ended)
    ended.mix_again()
    assert archive(ended)
    ended.refresh_from_db()
    assert ended.mix_key != first
    assert {key for key in files.walk(ended.prefix) if "/mixed/" in key} == {ended.mix_key, ended.waveform_key}


def test_the_sweep_queues_what_has_settled_and_only_once(ended: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    queued: list[str] = []
    monkeypatch.setattr(tasks.mix, "delay_on_commit", queued.append)
    tasks.sweep()
    assert queued == []
    Recording.objects.update(mix_at=timezone.now())
    tasks.sweep()
    tasks.sweep()
    assert queued == [str(ended.pk)]
    tasks.mix(queued[0])
    ended.refresh_from_db()
    assert ended.state == State.MIXED


def test_the_task_of_an_unknown_recording_changes_nothing(ended: Recording) -> None:
    rows, keys = list(Recording.objects.values()), list(files.walk(""))
    tasks.mix("00000000-0000-4000-8000-000000000000")
    assert list(Recording.objects.values()) == rows
    assert list(files.walk("")) == keys


def test_a_fresh_claim_keeps_others_out_and_a_stale_one_is_taken_over(ended: Recording) -> None:
    dead = ended.claim()
    assert dead
    assert not archive(ended)
    Recording.objects.update(claimed_at=timezone.now() - LEASE * 1.01)
    assert archive(ended)
    with pytest.raises(ClaimLost):
        ended.renew(dead, 0.5)
    with pytest.raises(ClaimLost):
        ended.finish(dead, {}, 2)


def test_the_sweep_takes_over_from_a_dead_worker(ended: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks.mix, "delay_on_commit", tasks.mix)
    assert ended.claim()
    Recording.objects.update(claimed_at=timezone.now() - LEASE * 1.01, mix_at=timezone.now())
    tasks.sweep()
    ended.refresh_from_db()
    assert ended.state == State.MIXED


def test_a_worker_without_its_claim_leaves_nothing_behind(ended: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RENEW_SECONDS", 0)

    def stolen(name: str) -> str:
        claim = Recording.claim(ended)
        Recording.objects.filter(pk=ended.pk).update(claimed_by="another")
        return claim

    monkeypatch.setattr(ended, "claim", lambda: stolen(""))
    assert not archive(ended)
    ended.refresh_from_db()
    assert ended.claimed_by == "another"
    assert not [key for key in files.walk(ended.prefix) if "/mixed/" in key]


def test_what_a_dead_worker_wrote_is_cleared_away(ended: Recording) -> None:
    claim = ended.claim()
    files.save(f"{ended.prefix}/mixed/{claim}.opus", io.BytesIO(b"half"))
    ended.collect()
    assert [key for key in files.walk(ended.prefix) if "/mixed/" in key]
    Recording.objects.update(claimed_at=timezone.now() - LEASE * 1.01)
    ended.collect()
    assert not [key for key in files.walk(ended.prefix) if "/mixed/" in key]


def test_a_failure_stands_in_the_row_and_is_tried_again_later(
    ended: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(key: str, content: object) -> None:
        raise OSError("disk full")

    before = timezone.now()
    with monkeypatch.context() as patched:
        patched.setattr(files, "save", broken)
        with pytest.raises(OSError, match="disk full"):
            archive(ended)
    ended.refresh_from_db()
    assert (ended.state, ended.attempts, ended.error) == (State.CLOSING, 1, "OSError: disk full")
    assert ended.mix_at
    assert ended.mix_at >= before + BACKOFF
    assert ended.claimed_at is None
    assert archive(ended)
    ended.refresh_from_db()
    assert (ended.state, ended.attempts, ended.error) == (State.MIXED, 0, "")


def test_a_chunk_that_comes_while_it_is_mixed_is_mixed_in_later(
    ended: Recording, host: Participant, speak: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = module._tracks

    def late(recording: Recording) -> object:
        tracks = real(recording)
        speak(host, tone(880, 2), 8000)
        return tracks

    with monkeypatch.context() as patched:
        patched.setattr(module, "_tracks", late)
        assert not archive(ended)
    ended.refresh_from_db()
    assert (ended.state, ended.duration_ms) == (State.CLOSING, 6000)
    assert archive(ended)
    ended.refresh_from_db()
    assert (ended.state, ended.duration_ms) == (State.MIXED, 10000)
    assert_heard(decoded(files.read(ended.mix_key)), 880, 8000, 10000)


def test_a_lost_file_is_counted_and_the_rest_is_heard(
    tea: Space, recording: Recording, host: Participant, speak: Callable
) -> None:
    chunks = speak(host, tone(440, 15), 0)
    files.remove(chunks[0].key)
    tea.end()
    recording.close()
    assert archive(recording)
    recording.refresh_from_db()
    assert recording.damaged == 1
    assert_heard(decoded(files.read(recording.mix_key)), 440, 5000, 15000)


@pytest.mark.django_db(transaction=True)
def test_of_four_workers_at_once_one_mixes(ended: Recording) -> None:
    outcomes = at_once(*[lambda: archive(Recording.objects.get(pk=ended.pk))] * 4)
    assert sorted(map(str, outcomes)) == ["False", "False", "False", "True"]
    ended.refresh_from_db()
    assert ended.state == State.MIXED
    assert len([key for key in files.walk(ended.prefix) if "/mixed/" in key]) == 2
