"""What rooms and moderation add to the export of a member's data."""

from accounts.models import User
from moderation.leaving import exporting
from moderation.models import Case, Report
from moderation.rules import Kind
from rooms.models import Participant, Space
from rooms.models import exporting as of_rooms
from tests.moderation.conftest import TEXT


def test_a_reporter_gets_the_report_without_its_outcome(
    claimed: Case, report: Report, reviewer: User, lior: User, sol: User
) -> None:
    claimed.decide(reviewer, Kind.REMOVE, "You read out an address.")
    files = exporting.files(lior)
    assert [(one["handle"], one["text"]) for one in files["reports_filed.json"]] == [("sol", TEXT)]
    assert files["decisions_about_me.json"] == []
    about_sol = exporting.files(sol)
    assert [one["reason"] for one in about_sol["decisions_about_me.json"]] == ["You read out an address."]
    assert about_sol["reports_filed.json"] == []
    assert "lior" not in str(about_sol)
    assert "mo" not in [str(value) for one in about_sol["decisions_about_me.json"] for value in one.values()]


def test_spaces_of_host_and_guest(
    tea: Space, hana: User, lior: User, listener: Participant, speaker: Participant
) -> None:
    listener.ask_to_speak("About tea")
    assert [one["title"] for one in of_rooms.files(hana)["spaces_hosted.json"]] == ["Tea at four"]
    entered = of_rooms.files(lior)["spaces_entered.json"]
    assert [(one["host"], one["requests"][0]["text"]) for one in entered] == [("hana", "About tea")]
    assert "sol" not in str(entered)
    hana.erase()
    assert of_rooms.files(lior)["spaces_entered.json"][0]["host"] is None


def test_invitations_come_without_a_title(hana: User, dee: User) -> None:
    space = Space.open(hana, title="Secret tea", audience=Space.Audience.NAMED, invited=[dee])
    files = of_rooms.files(dee)
    assert files["invitations.json"] == [{"space": space.pk, "host": "hana"}]
    assert "Secret tea" not in str(files)
    assert of_rooms.files(hana)["spaces_hosted.json"][0]["named"] == ["dee"]
