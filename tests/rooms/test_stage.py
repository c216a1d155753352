"""The stage: asking, admitting, muting, moving, removing; and what of it leaves as events and standing."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import override_settings

from accounts.models import Block, User
from rooms.models import Participant, Space
from rooms.protocol import Close
from rooms.refusals import Refused
from rooms.rules import Mute, Reason, Role

pytestmark = pytest.mark.django_db(transaction=True)
Frames = list[dict[str, Any]]


def refused_with(reason: Reason, verb: Callable[..., object], *args: object) -> None:
    with pytest.raises(Refused) as refused:
        verb(*args)
    assert refused.value.reason == reason


def voices(space: Space) -> dict[str, bool]:
    """Participant -> muted, as a media node would read it."""
    space.refresh_from_db()
    return {voice.participant: voice.muted for voice in space.standing().voices}


def test_asking_and_being_admitted(tea: Space, host: Participant, listener: Participant, sent: Frames) -> None:
    request = listener.ask_to_speak("question on X")
    request.admit(host)
    listener.refresh_from_db()
    assert listener.role == Role.SPEAKER
    assert voices(tea) == {str(host.pk): True, str(listener.pk): True}
    assert [frame["type"] for frame in sent] == ["asked", "request_gone", "voice"]
    assert [frame["seq"] for frame in sent] == list(range(sent[0]["seq"], sent[0]["seq"] + 3))
    assert sent[1]["how"] == "admitted"


def test_the_queue_is_in_the_order_of_asking(tea: Space, host: Participant, listener: Participant, sol: User) -> None:
    other = tea.enter(sol)
    listener.ask_to_speak("first")
    other.ask_to_speak("second")
    assert [request.text for request in tea.open_requests()] == ["first", "second"]
    listener.withdraw()
    assert [request.text for request in tea.open_requests()] == ["second"]


def test_one_asks_once_and_withdraws_what_one_asked(listener: Participant) -> None:
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


def test_a_host_of_another_space_decides_nothing_here(
    tea: Space, speaker: Participant, dee: User, open_space: Callable[..., Space]
) -> None:
    dee.may_host = True
    dee.save(update_fields=["may_host"])
    elsewhere = open_space(dee).enter(dee)
    refused_with(Reason.NOT_IN_THE_SPACE, speaker.remove, elsewhere)
    refused_with(Reason.NOT_IN_THE_SPACE, speaker.mute_by, elsewhere)
    refused_with(Reason.NOT_IN_THE_SPACE, tea.end, elsewhere)
    refused_with(Reason.NOT_IN_THE_SPACE, tea.invite, [dee], elsewhere)
    tea.refresh_from_db()
    assert tea.state == Space.State.LIVE


def test_the_microphone_opens_after_the_notice(tea: Space, host: Participant) -> None:
    refused_with(Reason.NOTICE_NOT_ACCEPTED, host.open_microphone)
    host.accept_notice()
    host.open_microphone()
    assert voices(tea)[str(host.pk)] is False
    host.close_microphone()
    assert voices(tea)[str(host.pk)] is True


def test_a_mute_by_the_host_holds_until_the_host_lifts_it(
    tea: Space, host: Participant, speaker: Participant, sent: Frames
) -> None:
    speaker.mute_by(host)
    assert voices(tea)[str(speaker.pk)] is True
    assert sent[-1]["type"] == "voice"
    assert sent[-1]["person"]["mute"] == "host"
    assert sent[-1]["standing"] == tea.standing_version
    refused_with(Reason.MUTED_BY_HOST, speaker.open_microphone)
    speaker.unmute_by(host)
    assert voices(tea)[str(speaker.pk)] is True, "opening stays with the person"
    speaker.open_microphone()
    assert voices(tea)[str(speaker.pk)] is False


def test_a_mute_survives_stepping_down_and_a_reconnect(tea: Space, host: Participant, speaker: Participant) -> None:
    speaker.mute_by(host)
    speaker.step_down()
    speaker.leave()
    again = tea.enter(speaker.user)
    again.ask_to_speak().admit(host)
    again.refresh_from_db()
    assert again.mute == Mute.HOST


def test_moving_to_the_audience_ends_the_turn(tea: Space, host: Participant, speaker: Participant) -> None:
    speaker.move_to_audience(host)
    assert str(speaker.pk) not in voices(tea)
    assert speaker.turns.get().ended_at is not None
    refused_with(Reason.NOT_ON_THIS_PERSON, speaker.move_to_audience, host)


def test_nothing_is_done_to_the_host(host: Participant) -> None:
    for verb in (host.mute_by, host.remove, host.move_to_audience):
        refused_with(Reason.NOT_ON_YOURSELF, verb, host)


def test_a_removed_person_stays_out(tea: Space, host: Participant, speaker: Participant, sent: Frames) -> None:
    speaker.remove(host)
    with pytest.raises(Space.DoesNotExist):
        tea.enter(speaker.user)
    tea.refresh_from_db()
    assert str(speaker.pk) in tea.standing().removed
    assert sent[-1]["type"] == "removed"
    assert (sent[-1]["_close"], sent[-1]["_whom"]) == (Close.REMOVED, str(speaker.pk))


def test_blocking_removes_and_ends_following(tea: Space, host: Participant, speaker: Participant, hana: User) -> None:
    speaker.block(host)
    assert Block.objects.filter(blocker=hana, blocked=speaker.user).exists()
    assert not hana.is_followed_by(speaker.user)
    with pytest.raises(Space.DoesNotExist):
        tea.enter(speaker.user)


def test_a_block_from_the_profile_reaches_the_live_room(tea: Space, speaker: Participant, hana: User) -> None:
    speaker.user.block(hana)
    speaker.refresh_from_db()
    assert speaker.left_at is not None
    tea.refresh_from_db()
    assert str(speaker.pk) in tea.standing().removed


def test_losing_the_follow_ends_the_stay_until_it_is_back(tea: Space, listener: Participant, hana: User) -> None:
    hana.remove_follower(listener.user)
    listener.refresh_from_db()
    assert listener.left_at is not None
    listener.user.follow(hana)
    tea.enter(listener.user)
    tea.refresh_from_db()
    assert str(listener.pk) not in tea.standing().removed


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


def test_ending_closes_everything(tea: Space, host: Participant, speaker: Participant, sent: Frames) -> None:
    tea.end(by=host)
    tea.refresh_from_db()
    assert tea.standing().ended
    assert tea.participants.present().count() == 0
    assert speaker.turns.filter(ended_at=None).count() == 0
    assert (sent[-1]["type"], sent[-1]["_close"], sent[-1]["_whom"]) == ("ended", Close.ENDED, "")
    tea.end(by=host)
    refused_with(Reason.NOT_LIVE, speaker.step_down)


def test_the_host_does_not_leave_without_ending_the_space(tea: Space, host: Participant) -> None:
    refused_with(Reason.NOT_YOUR_ROLE, host.leave)
    host.refresh_from_db()
    assert host.left_at is None


def test_a_speaker_does_not_end_the_space(tea: Space, speaker: Participant) -> None:
    with pytest.raises(Refused):
        tea.end(by=speaker)
