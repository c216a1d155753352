"""The members of a demonstration that act on their own: what they know, what they ask of the rows."""

from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.conf import LazySettings
from django.core.management import CommandError, call_command

from accounts.models import User
from moderation.models import Case
from rooms.models import Space
from spaces_project.demo.bots import rows
from spaces_project.demo.bots.programme import GARDEN, SKY
from spaces_project.demo.bots.replica import Replica
from spaces_project.demo.bots.show import INSULTS, LAST_WORD, WARNING
from spaces_project.demo.people import BY_HANDLE
from spaces_project.demo.speech.texts import SCENES, TURNS, speaker


def person(participant: str, handle: str, mute: str = "self") -> dict[str, Any]:
    return {"participant": participant, "handle": handle, "mute": mute}


@pytest.fixture
def replica() -> Replica:
    """Rex in the audience of a Space that Iris hosts."""
    known = Replica()
    you = {"participant": "r", "notice_accepted": False}
    known.apply({"type": "snapshot", "you": you, "stage": [person("i", "iris", "open")], "requests": []})
    return known


def test_a_bot_knows_when_it_is_on_the_stage(replica: Replica) -> None:
    assert replica.mute == ""
    replica.apply({"type": "voice", "person": person("r", "rex")})
    assert replica.mute == "self"
    replica.apply({"type": "voice", "person": person("r", "rex", "host")})
    assert replica.mute == "host"
    replica.apply({"type": "voice_gone", "participant": "r", "why": "moved"})
    assert replica.mute == ""


def test_a_bot_knows_who_asks_and_who_speaks(replica: Replica) -> None:
    replica.apply({"type": "asked", "request": {"request": "q", "person": person("r", "rex")}})
    assert (replica.request_of("rex") or {})["request"] == "q"
    assert replica.request_of("gus") is None
    replica.apply({"type": "request_gone", "request": "q", "participant": "r", "how": "declined"})
    assert replica.request_of("rex") is None
    assert (replica.speaker("iris"), replica.speaker("rex")) == ("i", "")


def test_a_bot_takes_frames_of_other_kinds_and_of_unknown_people(replica: Replica) -> None:
    for frame in ({"type": "levels", "levels": {}}, {"type": "voice_gone", "participant": "?", "why": "left"}):
        replica.apply(frame)
    replica.apply({"type": "request_gone", "request": "?", "participant": "?", "how": "left"})
    assert replica.speaker("iris") == "i"


@pytest.mark.parametrize("programme", [GARDEN, SKY], ids=lambda programme: programme.host)
def test_everyone_in_a_programme_is_a_member(programme: Any) -> None:
    assert {speaker(turn) for turn in SCENES[programme.scene]} == {programme.host, *programme.voices}
    assert speaker(programme.question[1]) == programme.host
    named = {programme.host, *programme.voices, *programme.listeners, *filter(None, [programme.heckler])}
    assert named <= set(BY_HANDLE)
    assert {*INSULTS, WARNING, LAST_WORD} <= set(TURNS)


@pytest.fixture
def run(db: None) -> Callable[..., Any]:
    """Call what bots call, from a test without a loop."""
    return lambda function, *arguments: async_to_sync(function)(*arguments)


@pytest.mark.django_db(transaction=True)
def test_a_space_is_opened_once_and_only_by_those_who_may_host(run: Callable[..., Any], hana: User, dee: User) -> None:
    space = run(rows.live_space, "hana", "Tea", "")
    assert space is not None
    assert run(rows.live_space, "hana", "Tea", "") == space
    assert run(rows.live_space, "dee", "Tea", "") is None
    run(rows.may_host, "dee")
    assert run(rows.live_space, "dee", "Coffee", "") is not None


@pytest.mark.django_db(transaction=True)
def test_a_report_is_filed_once_while_its_case_is_open(
    run: Callable[..., Any], hana: User, sol: User, lior: User
) -> None:
    for follower in (sol, lior):
        follower.follow(hana)
    space = Space.open(hana, title="Tea", audience=Space.Audience.FOLLOWERS)
    assert not run(rows.report, str(space.pk), "lior", "sol", "harassment", "x")  # sol is not there
    space.enter(sol)
    assert not run(rows.report, str(space.pk), "lior", "sol", "harassment", "x")  # lior is not there
    space.enter(lior)
    for _ in range(2):
        assert run(rows.report, str(space.pk), "lior", "sol", "harassment", "x")
    assert Case.objects.get().reports.count() == 1
    assert not run(rows.has_cases_of, "hana")  # the Space is live
    run(rows.end, str(space.pk))
    assert run(rows.has_cases_of, "hana")


@pytest.mark.django_db(transaction=True)
def test_bots_visit_spaces_of_people_for_all_followers(run: Callable[..., Any], hana: User, sol: User) -> None:
    assert run(rows.spaces_of_people) == []
    space = Space.open(hana, title="Tea", audience=Space.Audience.FOLLOWERS)
    assert run(rows.spaces_of_people) == [str(space.pk)]
    assert not run(rows.may_enter, str(space.pk), "sol")
    sol.follow(hana)
    assert run(rows.may_enter, str(space.pk), "sol")
    space.end()
    Space.open(hana, title="For some", audience=Space.Audience.NAMED, invited=[sol])
    assert run(rows.spaces_of_people) == []


def test_the_command_refuses_to_run_without_a_demonstration(settings: LazySettings) -> None:
    settings.DEMO = False
    with pytest.raises(CommandError, match="--demo"):
        call_command("rundemo")
