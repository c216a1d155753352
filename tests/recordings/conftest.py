"""A Space of hana's with sol at the microphone, its recording, and a storage of the test's own."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db.models import F
from django.utils import timezone

from accounts.models import User
from recordings import files
from recordings.chunks import meta_of
from recordings.models import Recording
from rooms.media.capture.tap import Chunk as Captured
from rooms.models import Participant, Space, Turn
from tests.rig.sound.captured import Pcm, captured, tone
from tests.rooms.conftest import _empty_redis, host

__all__ = ["_empty_redis", "host"]


@pytest.fixture(autouse=True)
def _storage(settings: Any, tmp_path: Path) -> None:
    folder = {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": tmp_path / "storage", "base_url": None},
    }
    settings.STORAGES = settings.STORAGES | {"recordings": folder}
    settings.MEDIA_SPOOL = tmp_path / "spool"
    settings.HLS_DIR = tmp_path / "hls"


@pytest.fixture
def tea(hana: User, sol: User) -> Space:
    """A live Space of hana's, sol follows her."""
    sol.follow(hana)
    return Space.open(hana, title="Tea at four", audience=Space.Audience.FOLLOWERS)


@pytest.fixture
def speaker(tea: Space, sol: User, host: Participant) -> Participant:
    person = tea.enter(sol)
    person.ask_to_speak().admit(host)
    return person


@pytest.fixture
def recording(tea: Space) -> Recording:
    return Recording.open_for(tea)


def turn_of(person: Participant) -> Turn:
    return person.turns.latest("started_at")


def put(chunk: Captured, key: str = "") -> str:
    """As the media node does it: into the storage under its key."""
    key = key or chunk.key
    return files.storage().save(key, ContentFile(chunk.data))


@pytest.fixture
def speak(recording: Recording) -> Callable[..., list[Captured]]:
    """`speak(host, tone(440, 7), 1500)`: captured, shipped and taken in; person None is the listeners' mix."""

    def spoken(person: Participant | None, pcm: Pcm, start_ms: int, message: bool = True) -> list[Captured]:
        turn = turn_of(person).pk if person else None
        chunks = captured(pcm, start_ms, recording.space_id, turn, person.pk if person else None)
        for chunk in chunks:
            put(chunk)
            if message:
                recording.add_chunk(meta_of(chunk.data))
        return chunks

    return spoken


@pytest.fixture
def ended(tea: Space, recording: Recording, host: Participant, speak: Callable[..., list[Captured]]) -> Recording:
    """A recording of 6 s of hana, closed and not yet mixed."""
    speak(host, tone(440, 6), 0)
    tea.end()
    recording.close()
    recording.refresh_from_db()
    return recording


@pytest.fixture
def aged(ended: Recording) -> Callable[[float], Recording]:
    """`aged(31)`: the Space ended so many days ago."""

    def grown(days: float) -> Recording:
        ended.refresh_from_db()
        assert ended.ended_at is not None
        shift = timezone.now() - timedelta(days=days) - ended.ended_at
        dates = ("ended_at", "retained_until", "purge_at")
        Recording.objects.filter(pk=ended.pk).update(**{name: F(name) + shift for name in dates})
        ended.refresh_from_db()
        return ended

    return grown
