"""A Space: numbered events, the standing, what is shown of it, and its end."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from rooms import protocol
from rooms.models import Participant, Space
from rooms.protocol import Close
from rooms.refusals import Refused
from rooms.rules import Reason
from tests.rig.spaces import refused_with, written

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


def test_shown_to_counts_who_listens_as_the_space_itself_does(
    tea: Space, host: Participant, speaker: Participant, listener: Participant, dee: User, lior: User
) -> None:
    tea.participants.create(user=dee, entered_at=timezone.now())  # has never had a connection
    [shown] = Space.objects.shown_to(lior)
    assert (shown.listening, tea.listener_count) == (1, 1)
    listener.leave()
    [shown] = Space.objects.shown_to(lior)
    assert (shown.listening, tea.listener_count) == (0, 0)


def test_shown_to_has_the_stage_with_the_host_first(tea: Space, speaker: Participant, lior: User) -> None:
    [shown] = Space.objects.shown_to(lior)
    assert [person.user.handle for person in shown.on_stage] == ["hana", "sol"]


def test_shown_to_asks_for_all_stages_at_once(
    tea: Space, sol: User, lior: User, open_space: Callable[..., Space], django_assert_num_queries: Any
) -> None:
    sol.grant_hosting()
    lior.follow(sol)
    open_space(sol)
    with django_assert_num_queries(2):
        assert len([person.user.handle for space in Space.objects.shown_to(lior) for person in space.on_stage]) == 2


def test_hosting_is_refused_for_one_reason_at_a_time(tea: Space, hana: User, dee: User) -> None:
    assert Space.hosting_refusal(hana) == Reason.ALREADY_LIVE
    assert Space.hosting_refusal(dee) == Reason.TOO_FEW_FOLLOWERS
    hana.suspend(timezone.now() + timedelta(days=1))
    assert Space.hosting_refusal(hana) == Reason.SUSPENDED


def test_ending_closes_everything(tea: Space, host: Participant, speaker: Participant, sent: Frames) -> None:
    tea.end(by=host)
    tea.refresh_from_db()
    assert tea.standing().ended
    assert tea.participants.present().count() == 0
    assert speaker.turns.filter(ended_at=None).count() == 0
    assert (sent[-1]["type"], sent[-1]["_close"], sent[-1]["_whom"]) == ("ended", Close.ENDED, "")
    tea.end(by=host)
    refused_with(Reason.NOT_LIVE, speaker.step_down)


def test_a_speaker_does_not_end_the_space(tea: Space, speaker: Participant) -> None:
    with pytest.raises(Refused):
        tea.end(by=speaker)
