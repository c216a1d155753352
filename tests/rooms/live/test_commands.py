"""Each command of the wire is carried out by one line of one table, within its budget."""

import pytest
from asgiref.sync import async_to_sync

from accounts.budgets import Spent
from rooms import protocol
from rooms.live.commands import ANSWERS, VERBS, carry_out
from rooms.models import Participant
from rooms.refusals import Refused


async def _no_more_frames(frame: str) -> None:
    raise AssertionError(frame)


def carried_out(me: Participant, command: protocol.Command, times: int = 1) -> int:
    """How often of `times` the command was within its budget."""
    done = 0
    for _ in range(times):
        try:
            async_to_sync(carry_out)(me.pk, command, _no_more_frames)
        except Spent:
            continue
        done += 1
    return done


def test_each_command_stands_in_one_of_the_two_tables() -> None:
    assert [*VERBS, *ANSWERS] == list(dict.fromkeys([*VERBS, *ANSWERS])), "none stands in both"
    assert {*VERBS, *ANSWERS} == set(protocol.COMMANDS)


@pytest.mark.django_db(transaction=True)
def test_opening_the_microphone_has_a_budget_and_closing_it_has_none(speaker: Participant) -> None:
    carried_out(speaker, protocol.AcceptNotice())
    assert carried_out(speaker, protocol.Microphone(open=True), times=25) == 20
    assert carried_out(speaker, protocol.Microphone(open=False), times=25) == 25


@pytest.mark.django_db(transaction=True)
def test_a_host_may_always_mute(host: Participant, speaker: Participant) -> None:
    assert carried_out(host, protocol.MutePerson(participant=str(speaker.pk)), times=150) == 150


@pytest.mark.django_db(transaction=True)
def test_answers_have_budgets_too(host: Participant, speaker: Participant) -> None:
    assert carried_out(host, protocol.Sync(), times=130) == 120
    assert carried_out(speaker, protocol.Sync()) == 1


@pytest.mark.django_db(transaction=True)
def test_names_count_one_by_one(host: Participant) -> None:
    command = protocol.Invite(handles=[f"person_{number}" for number in range(100)])
    for _ in range(5):
        with pytest.raises(Refused, match="no_such_person"):
            carried_out(host, command)
    assert carried_out(host, command) == 0
