"""The REST API of rooms: who sees what, and that what it shows is of one moment."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User
from accounts.shared.pagination import Pages
from rooms.live import snapshot
from rooms.models import Participant, Space
from rooms.protocol.parts import SpaceFacts
from tests.rig.racing import at_once
from tests.rig.rights import give

LogIn = Callable[[User], Client]
pytestmark = pytest.mark.django_db(transaction=True)


def titles(client: Client) -> list[str]:
    return [space["title"] for space in client.get("/api/spaces/").json()["results"]]


@pytest.mark.parametrize("path", ["/api/spaces/", "/api/spaces/{pk}/"])
def test_the_api_needs_a_log_in(tea: Space, path: str) -> None:
    assert Client().get(path.format(pk=tea.pk)).status_code in (401, 403)


def test_a_page_of_the_list_has_an_upper_bound(
    hana: User, sol: User, lior: User, log_in: LogIn, open_space: Callable[..., Space], monkeypatch: pytest.MonkeyPatch
) -> None:
    for host in (hana, sol):
        give(host, may_host=True)
        lior.follow(host)
        open_space(host)
    monkeypatch.setattr(Pages, "max_limit", 1)
    monkeypatch.setattr(Pages, "default_limit", 1)
    for query in ("limit=1", "limit=2", "limit=1000000", f"limit={'9' * 30}", "limit=0", "limit=x", "limit=-1"):
        answer = log_in(lior).get(f"/api/spaces/?{query}").json()
        assert (answer["count"], len(answer["results"])) == (2, 1), query
    assert log_in(lior).get(f"/api/spaces/?offset={'9' * 30}").json()["results"] == []


def test_the_list_holds_what_a_member_may_enter(tea: Space, hana: User, lior: User, dee: User, log_in: LogIn) -> None:
    assert titles(log_in(lior)) == ["Tea at four"]
    assert titles(log_in(hana)) == ["Tea at four"]
    assert titles(log_in(dee)) == []


def test_the_api_shows_a_space_as_it_is(tea: Space, speaker: Participant, lior: User, log_in: LogIn) -> None:
    space = log_in(lior).get(f"/api/spaces/{tea.pk}/").json()
    assert [(person["handle"], person["role"], person["mute"]) for person in space["stage"]] == [
        ("hana", "host", "self"),
        ("sol", "speaker", "open"),
    ]
    assert space["max_speakers"] == 11


def test_what_the_api_shows_is_of_one_moment(
    tea: Space, speaker: Participant, lior: User, log_in: LogIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = snapshot.facts

    def while_a_person_leaves(space: Space) -> SpaceFacts:
        at_once(speaker.step_down)
        return facts(space)

    monkeypatch.setattr(snapshot, "facts", while_a_person_leaves)
    before = Space.objects.get(pk=tea.pk).seq
    said = log_in(lior).get(f"/api/spaces/{tea.pk}/").json()
    assert (said["seq"], [person["handle"] for person in said["stage"]]) == (before, ["hana", "sol"])
    assert [person.user.handle for person in tea.stage()] == ["hana"]
