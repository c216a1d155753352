"""The pages of rooms: who sees what, and what is refused."""

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from accounts.models import User
from rooms import fleet
from rooms.models import Participant, Space
from rooms.rules import Reason
from tests.rig.crowd import crowd

LogIn = Callable[[User], Client]
pytestmark = pytest.mark.django_db(transaction=True)


def titles(client: Client) -> list[str]:
    return [space["title"] for space in client.get("/api/spaces/").json()["results"]]


def test_home_welcomes_visitors_who_are_not_logged_in() -> None:
    assert Client().get("/").status_code == 200


def test_home_shows_the_spaces_that_a_member_may_enter(tea: Space, lior: User, dee: User, log_in: LogIn) -> None:
    assert "Tea at four" in log_in(lior).get("/").content.decode()
    assert "Tea at four" not in log_in(dee).get("/").content.decode()


def test_home_says_how_many_followers_are_missing(dee: User, log_in: LogIn) -> None:
    crowd(dee, 438, counts_from=timezone.now())
    page = log_in(dee).get("/").content.decode()
    assert "438 of 600" in page
    assert "162" in page
    assert "Those count" not in page


def test_home_says_who_counts_if_some_do_not(dee: User, log_in: LogIn) -> None:
    crowd(dee, 5)
    page = log_in(dee).get("/").content.decode()
    assert "0 of 600" in page
    assert "You have 5 followers." in page
    assert "Those count who are here for at least 7 days" in page


def test_a_host_who_is_live_is_led_to_their_space(tea: Space, hana: User, log_in: LogIn) -> None:
    assert log_in(hana).get("/spaces/new/").headers["Location"] == f"/spaces/{tea.pk}/"


def test_the_form_is_shown_if_the_space_ends_in_that_moment(
    tea: Space, hana: User, log_in: LogIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    tea.end()
    monkeypatch.setattr(Space, "hosting_refusal", lambda user: Reason.ALREADY_LIVE)
    assert log_in(hana).get("/spaces/new/").status_code == 200


def test_home_advises_nothing_that_a_suspended_person_may_not_do(dee: User, log_in: LogIn) -> None:
    assert "Follow more people" in log_in(dee).get("/").content.decode()
    dee.suspend(timezone.now() + timedelta(days=1))
    page = log_in(dee).get("/").content.decode()
    assert "No one you follow is live" in page
    assert "Follow more people" not in page


@pytest.mark.parametrize("path", ["/spaces/{pk}/", "/api/spaces/{pk}/"])
def test_a_space_is_not_found_by_a_stranger(tea: Space, dee: User, lior: User, log_in: LogIn, path: str) -> None:
    address = path.format(pk=tea.pk)
    assert log_in(lior).get(address).status_code == 200
    assert log_in(dee).get(address).status_code == 404
    assert log_in(dee).get(path.format(pk=uuid4())).status_code == 404


@pytest.mark.parametrize("path", ["/search/", "/spaces/new/", "/fleet/", "/spaces/{pk}/"])
def test_pages_need_a_log_in(tea: Space, path: str) -> None:
    answer = Client().get(path.format(pk=tea.pk))
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/")


def test_looking_at_a_space_is_not_entering_it(tea: Space, lior: User, log_in: LogIn) -> None:
    log_in(lior).get(f"/spaces/{tea.pk}/")
    assert not Participant.objects.filter(user=lior).exists()


def test_a_removed_person_finds_nothing_any_more(
    tea: Space, speaker: Participant, host: Participant, log_in: LogIn
) -> None:
    client = log_in(speaker.user)
    speaker.remove(host)
    assert titles(client) == []
    assert client.get(f"/spaces/{tea.pk}/").status_code == 404
    assert client.get(f"/api/spaces/{tea.pk}/").status_code == 404


def test_an_ended_space_is_shown_to_people_who_were_in_it(
    tea: Space, listener: Participant, sol: User, dee: User, log_in: LogIn
) -> None:
    tea.end()
    assert log_in(listener.user).get(f"/spaces/{tea.pk}/").status_code == 200
    assert log_in(dee).get(f"/spaces/{tea.pk}/").status_code == 404
    assert log_in(sol).get(f"/spaces/{tea.pk}/").status_code == 404
    assert log_in(listener.user).get(f"/api/spaces/{tea.pk}/").status_code == 404


def test_the_form_of_a_new_space_says_what_may_stay_empty(log_in: Callable[[User], Client], hana: User) -> None:
    page = log_in(hana).get("/spaces/new/").content.decode()
    for words in ("What it is about (optional)", "All my followers", "Only people who already follow me"):
        assert words in page


def test_opening_a_space(hana: User, log_in: LogIn) -> None:
    answer = log_in(hana).post("/spaces/new/", {"title": " Tea  time ", "audience": "followers"})
    space = Space.objects.get()
    assert answer["Location"] == f"/spaces/{space.pk}/"
    assert (space.title, space.state) == ("Tea time", "live")


def test_opening_for_named_people(hana: User, sol: User, lior: User, log_in: LogIn) -> None:
    form = {"title": "Two of us", "audience": "named", "invited": "@Sol, lior @hana"}
    log_in(hana).post("/spaces/new/", form)
    assert {invitation.user for invitation in Space.objects.get().invitations.all()} == {sol, lior}


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"title": "", "audience": "followers"}, "title"),
        ({"title": "   ", "audience": "followers"}, "title"),
        ({"title": "x" * 81, "audience": "followers"}, "80"),
        ({"title": "Tea", "audience": "everyone"}, "everyone"),
        ({"title": "Tea", "audience": "named", "invited": ""}, "Name at least one person"),
        ({"title": "Tea", "audience": "named", "invited": "no_such_member"}, "@no_such_member"),
    ],
)
def test_a_bad_form_says_what_is_wrong(hana: User, log_in: LogIn, form: dict[str, str], words: str) -> None:
    answer = log_in(hana).post("/spaces/new/", form)
    assert answer.status_code == 400
    assert words in str(answer.context["form"].errors)
    assert not Space.objects.exists()


def test_a_member_below_the_gate_opens_nothing(sol: User, log_in: LogIn) -> None:
    answer = log_in(sol).post("/spaces/new/", {"title": "Tea", "audience": "followers"})
    assert answer.status_code == 400
    assert not Space.objects.exists()


def test_people_with_a_block_cannot_be_named(hana: User, sol: User, log_in: LogIn) -> None:
    sol.block(hana)
    answer = log_in(hana).post("/spaces/new/", {"title": "Tea", "audience": "named", "invited": "sol"})
    assert "@sol" in str(answer.context["form"].errors)


def test_the_fleet_line_shows_followed_people_on_stages(
    tea: Space, speaker: Participant, lior: User, dee: User
) -> None:
    assert [(face["user"].handle, face["word"]) for face in fleet.faces(lior)] == [("hana", "live")]
    lior.follow(speaker.user)
    assert [(face["user"].handle, face["word"]) for face in fleet.faces(lior)] == [("hana", "live"), ("sol", "speaks")]
    dee.follow(speaker.user)
    assert fleet.faces(dee) == [], "dee follows sol but may not enter the Space"


def test_search_finds_only_spaces_that_a_member_may_enter(tea: Space, lior: User, dee: User, log_in: LogIn) -> None:
    assert list(log_in(lior).get("/search/?q=tea").context["spaces"]) == [tea]
    assert list(log_in(dee).get("/search/?q=tea").context["spaces"]) == []
    assert log_in(dee).get("/search/?q=%00").status_code == 200


@pytest.mark.parametrize(("language", "words"), [("en", "after 12 days"), ("de", "nach 12 Tagen")])
def test_pages_name_the_days_for_which_sound_is_kept(
    settings: LazySettings, hana: User, log_in: LogIn, language: str, words: str
) -> None:
    settings.RECORDING_RETENTION_DAYS = 12
    for client, address in ((Client(), "/"), (log_in(hana), "/spaces/new/")):
        page = client.get(address, headers={"Accept-Language": language}).content.decode().lower()
        assert words.lower() in page
