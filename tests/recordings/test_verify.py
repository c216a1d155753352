"""`manage.py recordings verify` is a promise: each kind of fault is found, and what is right is not."""

import io
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from recordings import files, tasks
from recordings.archive import archive
from recordings.models import Chunk, Hold, Receipt, Recording
from recordings.models.mixable import State
from recordings.verify import Kind, verify
from rooms.media.hls import signature
from rooms.models import Participant, Space
from rooms.tasks import sweep_hls
from tests.recordings.conftest import put, turn_of
from tests.rig.sound.captured import captured, tone


def path_of(key: str) -> Path:
    return Path(files.storage().path(key))


def a_chunk() -> Chunk:
    return Chunk.objects.all()[0]


def make_old(key: str) -> None:
    hour_ago = (timezone.now() - timedelta(hours=1)).timestamp()
    os.utime(path_of(key), (hour_ago, hour_ago))


def found() -> list[Kind]:
    return [finding.kind for finding in verify(timezone.now())]


def run(*arguments: Any) -> str:
    out = io.StringIO()
    call_command("recordings", *arguments, stdout=out)
    return out.getvalue()


def test_what_is_right_is_right(ended: Recording, aged: Callable, speak: Callable, host: Participant) -> None:
    assert found() == []
    archive(ended)
    assert found() == []
    aged(31).purge()
    assert found() == []
    assert "0 recordings are kept" in run("verify")


def test_sound_that_outlived_its_date(ended: Recording, aged: Callable) -> None:
    aged(30.05)
    assert found() == [Kind.OVERDUE]
    with pytest.raises(CommandError, match="1 finding in 1 recording"):
        run("verify")
    tasks.purge()
    assert found() == []


def test_a_date_moved_by_hand_does_not_hide_it(ended: Recording, aged: Callable) -> None:
    aged(31)
    Recording.objects.update(purge_at=timezone.now() + timedelta(days=300))
    assert found() == [Kind.OVERDUE]


def test_what_is_held_has_not_outlived_its_date(ended: Recording, aged: Callable) -> None:
    ended.hold(Hold.Kind.REPORT, "case-1", timezone.now() + timedelta(days=60))
    aged(31)
    assert found() == []


def test_what_the_next_purge_takes_is_no_finding_yet(ended: Recording, aged: Callable) -> None:
    aged(30.001)
    assert found() == []


def test_a_purge_that_broke_off(ended: Recording, aged: Callable) -> None:
    aged(31)
    Recording.objects.update(state=State.PURGING)
    assert found() == [Kind.OVERDUE]


def test_a_space_that_ended_without_its_recording_being_closed(tea: Space, recording: Recording) -> None:
    tea.end()
    assert found() == []
    Space.objects.update(ended_at=timezone.now() - timedelta(hours=1))
    assert found() == [Kind.UNDATED]
    Recording.objects.all().delete()
    assert found() == [Kind.UNDATED]
    tasks.sweep()
    assert found() == []


def test_a_file_without_a_row(ended: Recording) -> None:
    key = f"{ended.prefix}/mixed/no-claim.opus"
    files.save(key, io.BytesIO(b"sound"))
    assert found() == []  # a message may be on its way
    make_old(key)
    assert found() == [Kind.NO_ROW]


def test_a_file_of_no_recording(db: None) -> None:
    (chunk,) = captured(tone(440, 1), 0, uuid4(), None)
    put(chunk)
    files.save("notes/copy.wav", io.BytesIO(b"sound"))
    make_old(chunk.key)
    make_old("notes/copy.wav")
    assert found() == [Kind.NO_ROW, Kind.NO_ROW]


def test_a_file_of_a_purged_recording(ended: Recording, aged: Callable, host: Participant) -> None:
    aged(31).purge()
    (chunk,) = captured(tone(440, 1), 0, ended.space_id, turn_of(host).pk, host.pk)
    put(chunk)
    make_old(chunk.key)
    assert found() == [Kind.NO_ROW]


def test_the_file_of_a_mix_that_is_being_made_is_no_finding(ended: Recording) -> None:
    key = f"{ended.prefix}/mixed/{ended.claim()}.opus"
    files.save(key, io.BytesIO(b"sound"))
    make_old(key)
    assert found() == []


@pytest.mark.parametrize("what", ["chunk", "mix_key", "waveform_key"])
def test_a_row_without_its_file(ended: Recording, what: str) -> None:
    archive(ended)
    ended.refresh_from_db()
    files.remove(a_chunk().key if what == "chunk" else getattr(ended, what))
    assert found() == [Kind.NO_FILE]


@pytest.mark.parametrize("what", ["chunk", "mix_key", "waveform_key"])
def test_a_file_that_was_altered(ended: Recording, what: str) -> None:
    archive(ended)
    ended.refresh_from_db()
    path = path_of(a_chunk().key if what == "chunk" else getattr(ended, what))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert found() == [Kind.ALTERED]
    assert list(verify(timezone.now(), hashes=False)) == []


def test_a_chunk_whose_row_was_deleted_is_a_file_without_a_row(ended: Recording) -> None:
    chunk = a_chunk()
    make_old(chunk.key)
    chunk.delete()
    assert found() == [Kind.NO_ROW]


def test_rows_that_stayed_after_the_purge(ended: Recording, aged: Callable, speak: Callable) -> None:
    aged(31).purge()
    Recording.objects.update(state=State.MIXED)
    ended.tracks.create(kind="mix")
    Recording.objects.update(state=State.PURGED)
    assert found() == [Kind.LEFTOVER]


def test_a_purge_without_a_receipt(ended: Recording, aged: Callable) -> None:
    aged(31).purge()
    Receipt.objects.all().delete()
    assert found() == [Kind.NO_RECEIPT]


def test_an_old_file_in_the_spool_of_a_node(db: None, settings: Any) -> None:
    folder = Path(settings.MEDIA_SPOOL) / "node-1"
    folder.mkdir(parents=True)
    (folder / "x.damaged").write_bytes(b"sound")
    assert found() == []
    os.utime(folder / "x.damaged", (0, 0))
    assert found() == [Kind.OVERDUE]


def test_sound_as_files_that_a_stopped_node_left(db: None, settings: Any) -> None:
    left = settings.HLS_DIR / signature.folder("s3cret", "tea")
    left.mkdir(parents=True)
    (left / "name.m4s").write_bytes(b"sound")
    assert found() == []
    sweep_hls()
    assert left.exists(), "the next node may go on there"
    os.utime(left, (0, 0))
    assert found() == [Kind.OVERDUE]
    sweep_hls()
    assert found() == []
    assert not left.exists()


def test_verify_prints_place_and_fault(ended: Recording) -> None:
    key = a_chunk().key
    files.remove(key)
    out = io.StringIO()
    with pytest.raises(CommandError) as failure:
        call_command("recordings", "verify", stdout=out)
    assert failure.value.returncode == 1
    assert out.getvalue().startswith(f"row-without-file  {key}  ")


def test_list_says_what_is_kept_and_why(ended: Recording, aged: Callable) -> None:
    ended.hold(Hold.Kind.REPORT, "case-1", timezone.now() + timedelta(days=60))
    said = run("list")
    assert str(ended.pk) in said
    assert "2 chunks" in said
    assert "case-1" in said
    assert "1 kept, 1 in all" in said


def test_list_leaves_out_what_is_purged_unless_asked(ended: Recording, aged: Callable) -> None:
    aged(31).purge()
    assert str(ended.pk) not in run("list")
    assert str(ended.pk) in run("list", "--all")


def test_purge_says_what_is_due_and_purges_it(ended: Recording, aged: Callable) -> None:
    assert "0 due" in run("purge", "--dry-run")
    aged(31)
    assert "1 due. Nothing was purged" in run("purge", "--dry-run")
    assert Chunk.objects.exists()
    said = run("purge")
    assert f"receipt {Receipt.objects.get().pk}" in said
    assert "1 purged" in said


def test_a_purge_that_fails_says_so(ended: Recording, aged: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    aged(31)

    def away(prefix: str) -> int:
        raise OSError("the bucket is away")

    monkeypatch.setattr(files, "remove_tree", away)
    with pytest.raises(CommandError, match="the bucket is away"):
        run("purge")


def test_mix_mixes_what_waits_and_one_again(ended: Recording) -> None:
    assert "mixed, 6.0 s" in run("mix")
    ended.refresh_from_db()
    before = ended.mix_key
    assert "0 recordings checked" in run("mix")
    assert "mixed, 6.0 s" in run("mix", str(ended.space_id))
    ended.refresh_from_db()
    assert ended.mix_key != before


def test_mix_refuses_what_is_live_or_gone(recording: Recording) -> None:
    for pk in (recording.pk, uuid4()):
        with pytest.raises(CommandError, match="cannot be mixed"):
            run("mix", str(pk))


def test_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        call_command("recordings", "--help")
    assert "manage.py recordings verify" in capsys.readouterr().out
