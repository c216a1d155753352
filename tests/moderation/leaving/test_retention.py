"""Rows about who was where go after their days, and leave receipts."""

from datetime import datetime, timedelta

import pytest
from django.conf import LazySettings
from django.utils import timezone

from accounts.models import User
from moderation.leaving import tasks
from moderation.leaving.retention import due
from moderation.models import Case, MetadataReceipt
from moderation.rules import Kind
from recordings.models import Recording
from recordings.models.mixable import State
from rooms.models import Invitation, Participant, Space, SpeakerRequest


@pytest.fixture(autouse=True)
def _days(settings: LazySettings) -> None:
    settings.PARTICIPATION_DAYS, settings.INVITATION_DAYS = 100, 10


def end(space: Space, days_ago: int, sound: State = State.PURGED) -> None:
    space.end()
    recording, moment = Recording.open_for(space), timezone.now() - timedelta(days=days_ago)
    dates = {"ended_at": moment, "retained_until": moment, "purge_at": moment}
    Recording.objects.filter(pk=recording.pk).update(state=sound, **dates)
    Space.objects.filter(pk=space.pk).update(ended_at=moment)


def spaces_due(now: datetime | None = None) -> list[Space]:
    return list(due(now or timezone.now()))


def test_participations_and_requests_go_after_their_days(
    tea: Space, speaker: Participant, listener: Participant
) -> None:
    listener.ask_to_speak("About tea")
    end(tea, days_ago=101)
    tasks.purge_metadata()
    assert not Participant.objects.exists()
    assert not SpeakerRequest.objects.exists()
    receipt = MetadataReceipt.objects.get()
    assert (receipt.space, receipt.participations, receipt.requests, receipt.invitations) == (tea.pk, 3, 2, 0)
    assert Space.objects.get().pk == tea.pk


def test_a_second_sweep_does_nothing(tea: Space, listener: Participant) -> None:
    end(tea, days_ago=101)
    tasks.purge_metadata()
    tasks.purge_metadata()
    assert MetadataReceipt.objects.count() == 1


def test_they_stay_until_then(tea: Space, listener: Participant) -> None:
    end(tea, days_ago=99)
    tasks.purge_metadata()
    assert Participant.objects.count() == 2
    assert not MetadataReceipt.objects.exists()


def test_a_live_space_keeps_all(tea: Space, listener: Participant) -> None:
    assert spaces_due(timezone.now() + timedelta(days=1000)) == []


def test_invitations_have_days_of_their_own(hana: User, dee: User) -> None:
    space = Space.open(hana, title="Tea", audience=Space.Audience.NAMED, invited=[dee])
    end(space, days_ago=11)
    tasks.purge_metadata()
    assert not Invitation.objects.exists()
    assert Participant.objects.count() == 1
    assert MetadataReceipt.objects.get().invitations == 1


@pytest.mark.parametrize("sound", [State.OPEN, State.MIXED, State.PURGING])
def test_while_sound_is_kept_staff_need_the_rows(tea: Space, listener: Participant, sound: State) -> None:
    end(tea, days_ago=101, sound=sound)
    assert spaces_due() == []


def test_an_open_case_keeps_all_and_a_reported_person_stays(
    claimed: Case, tea: Space, reviewer: User, speaker: Participant, listener: Participant
) -> None:
    end(tea, days_ago=101)
    assert spaces_due() == []
    Recording.objects.update(state=State.MIXED)
    claimed.decide(reviewer, Kind.DISMISS, "No breach.")
    Recording.objects.update(state=State.PURGED)
    tasks.purge_metadata()
    assert list(Participant.objects.all()) == [speaker]
    assert spaces_due() == []
