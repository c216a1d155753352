"""People in a Space: microphone, stage, and being moved, removed or blocked by the host."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Block, User
from rooms.models import Participant, Space
from rooms.protocol import Close
from rooms.rules import Mute, Reason
from tests.rig.rights import give
from tests.rig.spaces import refused_with, voices, written

pytestmark = pytest.mark.django_db(transaction=True)
Frames = list[dict[str, Any]]


def test_a_host_of_another_space_decides_nothing_here(
    tea: Space, speaker: Participant, dee: User, open_space: Callable[..., Space]
) -> None:
    give(dee, may_host=True)
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


@pytest.mark.parametrize("shut_out", [False, True], ids=["removed", "shut out"])
def test_a_listener_who_is_thrown_out_is_out_of_page_and_sound(
    tea: Space, host: Participant, listener: Participant, sent: Frames, shut_out: bool
) -> None:
    listener.shut_out() if shut_out else listener.remove(host)
    standing = written(tea)
    assert standing.removed == {str(listener.pk)}
    assert (sent[-1]["type"], sent[-1]["participant"]) == ("removed", str(listener.pk))
    assert sent[-1]["standing"] == standing.version
    assert tea.listener_count == 0


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


def test_the_host_does_not_leave_without_ending_the_space(tea: Space, host: Participant) -> None:
    refused_with(Reason.NOT_YOUR_ROLE, host.leave)
    host.refresh_from_db()
    assert host.left_at is None
