"""Requests to speak: asking, withdrawing, admitting, declining, and the limit of speakers."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import override_settings
from django.utils import timezone

from accounts.models import User
from rooms.models import Participant, Space
from rooms.refusals import Refused
from rooms.rules import Reason, Role
from tests.rig.spaces import refused_with, voices

pytestmark = pytest.mark.django_db(transaction=True)
Frames = list[dict[str, Any]]


def test_asking_and_being_admitted(tea: Space, host: Participant, listener: Participant, sent: Frames) -> None:
    request = listener.ask_to_speak("question on X")
    request.admit(host)
    listener.refresh_from_db()
    assert listener.role == Role.SPEAKER
    assert voices(tea) == {str(host.pk): True, str(listener.pk): True}
    assert [frame["type"] for frame in sent] == ["asked", "request_gone", "voice"]
    assert [frame["seq"] for frame in sent] == list(range(sent[0]["seq"], sent[0]["seq"] + 3))
    assert sent[1]["how"] == "admitted"


def test_requests_are_in_the_order_of_asking(tea: Space, host: Participant, listener: Participant, sol: User) -> None:
    other = tea.enter(sol)
    listener.ask_to_speak("first")
    other.ask_to_speak("second")
    assert [request.text for request in tea.open_requests()] == ["first", "second"]
    listener.withdraw()
    assert [request.text for request in tea.open_requests()] == ["second"]


def test_after_two_requests_that_came_to_nothing_one_waits(listener: Participant, host: Participant) -> None:
    listener.ask_to_speak().decline(host)
    listener.ask_to_speak()
    listener.withdraw()
    refused_with(Reason.ASKED_TOO_OFTEN, listener.ask_to_speak)
    listener.requests.update(decided_at=timezone.now() - timedelta(seconds=11))
    listener.ask_to_speak()


def test_a_listener_asks_once_and_withdraws_only_what_they_asked(listener: Participant) -> None:
    refused_with(Reason.NOT_ASKED, listener.withdraw)
    listener.ask_to_speak()
    refused_with(Reason.ALREADY_ASKED, listener.ask_to_speak)


def test_listeners_and_speakers_decide_nothing(speaker: Participant, listener: Participant) -> None:
    request = listener.ask_to_speak()
    refused_with(Reason.NOT_YOUR_ROLE, request.admit, speaker)
    refused_with(Reason.NOT_YOUR_ROLE, request.admit, listener)
    refused_with(Reason.NOT_YOUR_ROLE, request.decline, speaker)
    refused_with(Reason.NOT_YOUR_ROLE, speaker.mute_by, listener)
    refused_with(Reason.NOT_YOUR_ROLE, speaker.remove, listener)
    refused_with(Reason.NOT_YOUR_ROLE, listener.block, speaker)


def test_a_decided_request_is_not_decided_again(host: Participant, listener: Participant) -> None:
    request = listener.ask_to_speak()
    request.decline(host)
    refused_with(Reason.ALREADY_DECIDED, request.decline, host)
    refused_with(Reason.ALREADY_DECIDED, request.admit, host)


def test_the_twelfth_speaker_waits(tea: Space, host: Participant, listener: Participant, speaker: Participant) -> None:
    with override_settings(SPACES_MAX_SPEAKERS=1):
        request = listener.ask_to_speak()
        refused_with(Reason.STAGE_FULL, request.admit, host)
        assert tea.open_requests().count() == 1
        speaker.step_down()
        request.admit(host)


def test_concurrent_admissions_keep_the_limit(tea: Space, hana: User, host: Participant) -> None:
    """24 requests, eight threads admitting at once: eleven get a microphone, each exactly once."""
    people = [User.objects.create_user(f"p_{number}") for number in range(24)]
    for person in people:
        person.follow(hana)
    requests = [tea.enter(person).ask_to_speak() for person in people]
    outcomes: list[str] = []

    def admit(mine: list[Any]) -> None:
        for request in mine:
            try:
                request.admit(host)
                outcomes.append("in")
            except Refused as refused:
                outcomes.append(refused.reason)
        connection.close()

    threads = [threading.Thread(target=admit, args=(requests[number::8],)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["in"] * 11 + [Reason.STAGE_FULL] * 13
    assert tea.stage().count() == 12
    assert len(voices(tea)) == 12
    tea.refresh_from_db()
    assert tea.seq == 2 + 24 + 2 * 11, "the host came back (two events); asked; admitted and voice"
