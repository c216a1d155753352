"""A named stranger sees an invitation among the requests only, and no title before they open the Space."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User
from rooms import fleet
from rooms.models import Participant, Space

LogIn = Callable[[User], Client]
pytestmark = pytest.mark.django_db(transaction=True)
TITLE = "Words for strangers"


@pytest.fixture
def named(hana: User, dee: User, sol: User) -> Space:
    """A Space of hana's, for which she names dee, who does not follow her."""
    return Space.open(hana, title=TITLE, audience=Space.Audience.NAMED, invited=[dee, sol])


@pytest.mark.parametrize("path", ["/", "/search/?q=Words", "/fleet/", "/people/hana/", "/api/spaces/"])
def test_no_list_shows_a_stranger_the_title(named: Space, dee: User, log_in: LogIn, path: str) -> None:
    page = log_in(dee).get(path)
    assert page.status_code == 200
    assert TITLE not in page.content.decode()


@pytest.mark.parametrize("path", ["/", "/search/?q=Words", "/people/hana/", "/api/spaces/"])
def test_people_who_follow_the_host_see_it(named: Space, dee: User, hana: User, log_in: LogIn, path: str) -> None:
    dee.follow(hana)
    assert TITLE in log_in(dee).get(path).content.decode()


def test_home_has_a_request_with_a_way_in(named: Space, dee: User, log_in: LogIn) -> None:
    page = log_in(dee).get("/").content.decode()
    assert f'href="/spaces/{named.pk}/"' in page
    assert "People you do not follow invite you" in page
    assert TITLE in log_in(dee).get(f"/spaces/{named.pk}/").content.decode()


def test_the_api_lists_requests_without_titles(named: Space, dee: User, lior: User, log_in: LogIn) -> None:
    [request] = log_in(dee).get("/api/spaces/requests/").json()["results"]
    assert (request["id"], request["host"]) == (str(named.pk), "hana")
    assert set(request) == {"id", "host", "started_at"}
    assert log_in(lior).get("/api/spaces/requests/").json()["results"] == []


def test_a_request_is_gone_with_a_block_or_the_end(named: Space, dee: User, hana: User) -> None:
    assert list(Space.objects.invitations_of_strangers(dee)) == [named]
    dee.block(hana)
    assert not Space.objects.invitations_of_strangers(dee).exists()
    named.end()
    assert not Space.objects.invitations_of_strangers(hana).exists()


def test_hosts_see_their_own_space_and_no_request(named: Space, hana: User) -> None:
    assert list(Space.objects.shown_to(hana)) == [named]
    assert not Space.objects.invitations_of_strangers(hana).exists()


def test_a_followed_speaker_does_not_show_the_title(named: Space, dee: User, sol: User) -> None:
    dee.follow(sol)
    named.enter(sol)
    Participant.objects.filter(space=named, user=sol).update(role="speaker")
    assert fleet.faces(dee) == []
