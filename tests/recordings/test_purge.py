"""What is due goes, what is held stays, what broke off is finished, and a receipt proves it."""

import hashlib
import os
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.models import User
from recordings import archive as archiving
from recordings import files, purging, tasks
from recordings.archive import archive
from recordings.chunks import meta_of
from recordings.models import Chunk, Hold, Receipt, Recording, Track
from recordings.models.mixable import State
from recordings.refusals import TEXTS, Refused
from recordings.rules import Reason
from rooms.models import Participant, Space
from tests.recordings.conftest import put, turn_of
from tests.rig.racing import at_once
from tests.rig.rights import give
from tests.rig.sound.captured import captured, tone

Aged = Callable[[float], Recording]


def storage_root() -> Path:
    return Path(files.storage().path(""))


def test_after_thirty_days_nothing_is_left_but_the_receipt(ended: Recording, aged: Aged) -> None:
    archive(ended)
    chunks = list(Chunk.objects.order_by("sha256").values("sha256", "size", "duration_ms"))
    recording = aged(30.01)
    tasks.purge()
    recording.refresh_from_db()
    assert recording.state == State.PURGED
    assert (recording.mix_key, recording.waveform_key) == ("", "")
    assert not Track.objects.exists()
    assert not Chunk.objects.exists()
    assert list(storage_root().iterdir()) == []
    receipt = Receipt.objects.get()
    assert (receipt.recording, receipt.space, receipt.why) == (recording.pk, str(recording.space_id), "retention")
    assert (receipt.tracks, receipt.chunks, receipt.files) == (1, 2, 4)
    assert receipt.octets == sum(chunk["size"] for chunk in chunks)
    assert receipt.milliseconds == 6000
    assert receipt.due_at == recording.purge_at
    lines = "".join(f"{chunk['sha256']}\n" for chunk in chunks)
    assert receipt.digest == hashlib.sha256(lines.encode()).hexdigest()


def test_before_that_nothing_goes(ended: Recording, aged: Aged) -> None:
    aged(29.99)
    tasks.purge()
    assert ended.purge() is None
    assert Chunk.objects.count() == 2
    assert not Receipt.objects.exists()


def test_the_receipt_names_no_one(ended: Recording, aged: Aged, hana: User) -> None:
    aged(31).purge()
    row = str(Receipt.objects.values().get())
    for personal in (hana.handle, hana.display_name, str(hana.pk), str(hana.participations.get().pk), "Tea"):
        assert personal not in row


def test_a_live_recording_is_never_purged(recording: Recording) -> None:
    Recording.objects.update(started_at=timezone.now() - timedelta(days=400))
    tasks.purge()
    assert recording.purge() is None


def test_the_retention_is_the_setting(ended: Recording, aged: Aged, settings: Any) -> None:
    aged(8)
    settings.RECORDING_RETENTION_DAYS = 7
    tasks.purge()
    ended.refresh_from_db()
    assert ended.state == State.PURGED


def test_a_longer_retention_does_not_reach_back(ended: Recording, aged: Aged, settings: Any) -> None:
    aged(31)
    settings.RECORDING_RETENTION_DAYS = 300
    tasks.purge()
    ended.refresh_from_db()
    assert ended.state == State.PURGED


def test_every_reason_has_a_text() -> None:
    assert set(TEXTS) == set(Reason)
    assert all(str(text) for text in TEXTS.values())


def test_an_active_hold_postpones(ended: Recording, aged: Aged, mo: User) -> None:
    until = timezone.now() + timedelta(days=60)
    hold = ended.hold(Hold.Kind.REPORT, "case-1", until)
    recording = aged(31)
    tasks.purge()
    recording.refresh_from_db()
    assert (recording.state, recording.purge_at) == (State.CLOSING, until)
    ended.release_hold(hold, mo)
    recording.refresh_from_db()
    assert recording.purge_at == recording.retained_until
    tasks.purge()
    recording.refresh_from_db()
    assert recording.state == State.PURGED
    assert Hold.objects.get().released_by == mo


def test_a_hold_without_renewal_ends(ended: Recording, aged: Aged) -> None:
    ended.hold(Hold.Kind.REPORT, "case-1", timezone.now() + timedelta(days=60))
    recording = aged(100)
    Hold.objects.update(until=timezone.now() - timedelta(seconds=1))
    tasks.purge()
    recording.refresh_from_db()
    assert recording.state == State.PURGED


def test_the_last_of_several_holds_counts(ended: Recording) -> None:
    now = timezone.now()
    first = ended.hold(Hold.Kind.REPORT, "case-1", now + timedelta(days=80))
    ended.hold(Hold.Kind.APPEAL, "case-1", now + timedelta(days=50))
    ended.refresh_from_db()
    assert ended.purge_at == now + timedelta(days=80)
    ended.release_hold(first)
    ended.refresh_from_db()
    assert ended.purge_at == now + timedelta(days=50)


def test_a_hold_that_is_shorter_than_the_retention_changes_nothing(ended: Recording) -> None:
    ended.hold(Hold.Kind.REPORT, "case-1", timezone.now() + timedelta(days=3))
    ended.refresh_from_db()
    assert ended.purge_at == ended.retained_until


def test_a_hold_on_a_live_space_counts_after_its_end(tea: Space, recording: Recording) -> None:
    until = timezone.now() + timedelta(days=60)
    recording.hold(Hold.Kind.REPORT, "case-1", until)
    recording.refresh_from_db()
    assert recording.purge_at is None
    tea.end()
    recording.close()
    recording.refresh_from_db()
    assert recording.purge_at == until


def test_the_same_case_has_one_hold_of_a_kind(ended: Recording) -> None:
    now = timezone.now()
    first = ended.hold(Hold.Kind.REPORT, "case-1", now + timedelta(days=60))
    second = ended.hold(Hold.Kind.REPORT, "case-1", now + timedelta(days=70))
    assert first == second == Hold.objects.get()
    assert Hold.objects.get().until == now + timedelta(days=70)
    ended.hold(Hold.Kind.REPORT, "case-1", now + timedelta(days=65))
    assert Hold.objects.get().until == now + timedelta(days=70)


def test_a_hold_lasts_ninety_days_at_most_and_is_renewed_by_a_person(ended: Recording, mo: User) -> None:
    now = timezone.now()
    with pytest.raises(Refused, match=Reason.TOO_LONG):
        ended.hold(Hold.Kind.BREACH, "case-1", now + timedelta(days=90, hours=1))
    with pytest.raises(Refused, match=Reason.NOT_AHEAD):
        ended.hold(Hold.Kind.BREACH, "case-1", now)
    hold = ended.hold(Hold.Kind.BREACH, "case-1", now + timedelta(days=10))
    with pytest.raises(Refused, match=Reason.TOO_LONG):
        ended.renew_hold(hold, now + timedelta(days=91), mo)
    ended.renew_hold(hold, now + timedelta(days=89), mo, "the court has asked")
    ended.refresh_from_db()
    assert ended.purge_at == now + timedelta(days=89)
    assert (hold.renewals, hold.by, hold.reason) == (1, mo, "the court has asked")


def test_what_is_released_is_neither_renewed_nor_released_again(ended: Recording, mo: User, sol: User) -> None:
    hold = ended.hold(Hold.Kind.APPEAL, "case-1", timezone.now() + timedelta(days=60))
    ended.release_hold(hold, mo)
    ended.release_hold(hold, sol)
    assert Hold.objects.get().released_by == mo
    with pytest.raises(Refused, match=Reason.RELEASED):
        ended.renew_hold(hold, timezone.now() + timedelta(days=5), mo)


def test_a_recording_releases_and_renews_only_its_own_holds(ended: Recording, mo: User, sol: User) -> None:
    hold = ended.hold(Hold.Kind.APPEAL, "case-1", timezone.now() + timedelta(days=60))
    sol.grant_hosting()
    other = Recording.open_for(Space.open(sol, title="Other", audience=Space.Audience.FOLLOWERS))
    with pytest.raises(Hold.DoesNotExist):
        other.release_hold(hold, mo)
    with pytest.raises(Hold.DoesNotExist):
        other.renew_hold(hold, timezone.now() + timedelta(days=5), mo)
    assert Hold.objects.get().released_at is None


def test_nothing_holds_what_is_gone(ended: Recording, aged: Aged) -> None:
    aged(31).purge()
    with pytest.raises(Refused, match=Reason.PURGED):
        ended.hold(Hold.Kind.REPORT, "case-1", timezone.now() + timedelta(days=5))


@pytest.mark.parametrize("step", ["remove_tree", "_end_purge"])
def test_a_purge_that_broke_off_is_finished_by_the_next(
    ended: Recording, aged: Aged, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = aged(31)

    def killed(*args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(files if step == "remove_tree" else Recording, step, killed)
        with pytest.raises(KeyboardInterrupt):
            recording.purge()
    recording.refresh_from_db()
    assert recording.state == State.PURGING
    with pytest.raises(Refused):
        recording.hold(Hold.Kind.REPORT, "case-1", timezone.now() + timedelta(days=5))
    tasks.purge()
    recording.refresh_from_db()
    assert recording.state == State.PURGED
    assert Receipt.objects.get().chunks == 2
    assert list(storage_root().iterdir()) == []


def test_a_fault_in_one_recording_does_not_keep_the_others(
    ended: Recording, aged: Aged, sol: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = aged(31)
    give(sol, may_host=True)
    sol.refresh_from_db()
    space = Space.open(sol, title="Other", audience=Space.Audience.FOLLOWERS)
    second = Recording.open_for(space)
    space.end()
    second.close()
    Recording.objects.filter(pk=second.pk).update(retained_until=timezone.now(), purge_at=timezone.now())
    real = files.remove_tree

    def faulty(prefix: str) -> int:
        if prefix == first.prefix:
            raise OSError("the bucket is away")
        return real(prefix)

    monkeypatch.setattr(files, "remove_tree", faulty)
    with pytest.raises(ExceptionGroup):
        tasks.purge()
    second.refresh_from_db()
    assert second.state == State.PURGED
    assert Receipt.objects.get().recording == second.pk


def test_a_chunk_that_comes_after_the_purge_is_deleted(ended: Recording, aged: Aged, host: Participant) -> None:
    aged(31).purge()
    (late,) = captured(tone(440, 2), 8000, ended.space_id, turn_of(host).pk, host.pk)
    put(late)
    assert ended.add_chunk(meta_of(late.data)) is None
    assert list(files.walk("")) == []
    put(late)  # without a message
    tasks.purge()
    assert list(storage_root().iterdir()) == []
    stray = Receipt.objects.get(why=Receipt.Why.STRAY)
    assert (stray.files, stray.octets, stray.space) == (1, len(late.data), str(ended.space_id))


def test_sound_of_no_recording_goes_when_it_is_old(db: None) -> None:
    (chunk,) = captured(tone(440, 2), 0, uuid4(), None)
    put(chunk)
    tasks.purge()
    assert list(files.walk("")) == [chunk.key]
    month_ago = (timezone.now() - timedelta(days=31)).timestamp()
    os.utime(storage_root() / chunk.key, (month_ago, month_ago))
    tasks.purge()
    assert list(storage_root().iterdir()) == []


def test_what_a_node_could_not_ship_goes_too_when_it_is_old(db: None, settings: Any) -> None:
    folder = Path(settings.MEDIA_SPOOL) / "node-1"
    folder.mkdir(parents=True)
    for name in ("a.opus", "b.damaged", "new.opus", ".lock"):
        (folder / name).write_bytes(b"sound")
        if name != "new.opus":
            os.utime(folder / name, (0, 0))
    tasks.purge()
    assert {path.name for path in folder.iterdir()} == {"new.opus", ".lock"}


def test_a_worker_that_mixes_while_it_is_purged_leaves_nothing(
    ended: Recording, aged: Aged, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording, real = aged(31), archiving._facts

    def purged_meanwhile(*args: Any) -> dict[str, object]:
        assert recording.purge() is not None
        return real(*args)

    monkeypatch.setattr(archiving, "_facts", purged_meanwhile)
    assert not archive(recording)
    recording.refresh_from_db()
    assert recording.state == State.PURGED
    assert list(files.walk("")) == []
    tasks.purge()
    assert list(storage_root().iterdir()) == []


@pytest.mark.django_db(transaction=True)
def test_four_purges_at_once_write_one_receipt(ended: Recording, aged: Aged) -> None:
    aged(31)
    outcomes = at_once(*[partial(purging.purge_due, timezone.now())] * 4)
    assert all(isinstance(outcome, tuple) and outcome[1] == [] for outcome in outcomes)
    ended.refresh_from_db()
    assert ended.state == State.PURGED
    assert Receipt.objects.count() == 1
    assert list(storage_root().iterdir()) == []


@pytest.mark.django_db(transaction=True)
def test_a_hold_and_a_purge_at_once_never_both_succeed(ended: Recording, aged: Aged) -> None:
    aged(31)
    until = timezone.now() + timedelta(days=9)
    hold = partial(ended.hold, Hold.Kind.REPORT, "case-1", until)
    held_or_refused, purged = at_once(hold, partial(purging.purge_due, timezone.now()))
    assert isinstance(purged, tuple)
    assert isinstance(held_or_refused, Hold | Refused)
    ended.refresh_from_db()
    held = isinstance(held_or_refused, Hold)
    assert held == (ended.state == State.CLOSING)
    assert held == (Chunk.objects.count() == 2)
