"""A Space numbers its events and keeps the standing that media nodes obey."""

from typing import Any

import pytest
from django.db import transaction

from rooms import protocol
from rooms.media.contract.standing import KEY, Standing, parse
from rooms.models import Participant, Space
from rooms.protocol import Close
from rooms.store.client import redis_client

pytestmark = pytest.mark.django_db(transaction=True)
Frames = list[dict[str, Any]]


def publish(space: Space, **where: Any) -> None:
    with transaction.atomic():
        Space.locked(space.pk).publish(protocol.HostBack(), **where)


def test_events_are_numbered_without_gaps(tea: Space, sent: Frames) -> None:
    before = Space.objects.get(pk=tea.pk).seq
    publish(tea)
    publish(tea)
    assert [frame["seq"] for frame in sent] == [before + 1, before + 2]
    assert Space.objects.get(pk=tea.pk).seq == before + 2


def test_an_event_names_the_connections_that_close_after_it(tea: Space, host: Participant, sent: Frames) -> None:
    publish(tea, close=4403, whom=str(host.pk))
    assert (sent[-1]["_close"], sent[-1]["_whom"]) == (Close.REMOVED, str(host.pk))


def test_an_event_leaves_after_the_commit_or_not_at_all(tea: Space, sent: Frames) -> None:
    before = Space.objects.get(pk=tea.pk).seq
    with transaction.atomic():
        Space.locked(tea.pk).publish(protocol.HostBack())
        assert sent == []
        transaction.set_rollback(True)
    assert sent == []
    assert Space.objects.get(pk=tea.pk).seq == before


def test_a_change_of_the_sound_raises_the_version_and_is_written_after_the_commit(tea: Space) -> None:
    before = Space.objects.get(pk=tea.pk).standing_version
    with transaction.atomic():
        Space.locked(tea.pk).sound_changed()
        assert written(tea).version == before
    assert written(tea).version == before + 1


def test_the_standing_names_who_may_be_heard_and_who_was_removed(
    tea: Space, host: Participant, speaker: Participant, listener: Participant
) -> None:
    listener.remove(host)
    standing = written(tea)
    assert {voice.participant: voice.muted for voice in standing.voices} == {str(host.pk): True, str(speaker.pk): False}
    assert standing.removed == {str(listener.pk)}


def written(space: Space) -> Standing:
    """The standing as a media node reads it."""
    return parse(str(redis_client().get(KEY.format(space=space.pk))))
