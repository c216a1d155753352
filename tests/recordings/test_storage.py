"""The whole life of a recording over a storage that is no folder and closes what it has saved, as a bucket does."""

import hashlib
import io
from collections.abc import Callable
from typing import IO, Any

import pytest
from django.core.files.storage import InMemoryStorage
from django.test import RequestFactory
from django.utils import timezone

from recordings import clips, files, serve, tasks
from recordings.archive import archive
from recordings.models import Recording
from recordings.models.mixable import State
from recordings.verify import verify
from rooms.models import Participant
from tests.rig.sound.captured import decoded, heard_from_to, tone


class Bucket(InMemoryStorage):
    """Keeps nothing in folders of this machine."""

    def save(self, name: str | None, content: IO[Any], max_length: int | None = None) -> str:
        saved = super().save(name, content, max_length)
        content.close()
        return saved


def test_a_hash_is_that_of_the_whole_file() -> None:
    content = io.BytesIO(b"sound" * files.BLOCK)
    content.seek(7)
    assert files.sha256(content) == hashlib.sha256(b"sound" * files.BLOCK).hexdigest()


@pytest.fixture
def bucket(settings: Any) -> None:
    settings.STORAGES = settings.STORAGES | {"recordings": {"BACKEND": f"{__name__}.Bucket"}}


def test_a_recording_lives_and_goes_in_a_bucket(
    bucket: None, ended: Recording, host: Participant, speak: Callable, aged: Callable
) -> None:
    assert isinstance(files.storage(), Bucket)
    speak(host, tone(1000, 7), 6000, message=False)
    assert ended.collect() == 2
    assert archive(ended)
    ended.refresh_from_db()
    assert heard_from_to(decoded(files.read(ended.mix_key)), 1000)
    source, _start_ms = clips.mix(ended)
    response: Any = serve.respond(RequestFactory().get("/", headers={"Range": "bytes=0-3"}), source)
    assert b"".join(response) == b"OggS"
    assert list(verify(timezone.now())) == []
    aged(31)
    tasks.purge()
    ended.refresh_from_db()
    assert ended.state == State.PURGED
    assert list(files.walk("")) == []
    assert list(verify(timezone.now())) == []
