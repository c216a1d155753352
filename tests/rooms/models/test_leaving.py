"""Spaces of a host who leaves for good, and what they wrote in those of others."""

from accounts.models import Closing, User
from rooms.models import Participant, Space
from rooms.models.leaving import ERASED_TITLE


def test_the_live_space_of_the_host_ends(tea: Space, hana: User, speaker: Participant) -> None:
    hana.erase()
    tea.refresh_from_db()
    assert (tea.state, tea.ended_why) == (Space.State.ENDED, Space.Why.HOST)
    assert (tea.host_id, tea.title, tea.description) == (hana.pk, ERASED_TITLE, "")


def test_the_live_space_ends_with_the_closing_and_keeps_its_title(tea: Space, hana: User, lior: User) -> None:
    Closing.start(hana, by=hana)
    tea.refresh_from_db()
    assert (tea.state, tea.ended_why, tea.title) == (Space.State.ENDED, Space.Why.HOST, "Tea at four")
    assert not Space.objects.enterable_by(lior).exists()


def test_participations_stay_without_words(tea: Space, lior: User, listener: Participant) -> None:
    request = listener.ask_to_speak("Let me tell you where I live")
    lior.erase()
    request.refresh_from_db()
    assert request.text == ""
    assert Participant.objects.get(pk=listener.pk).user_id == lior.pk


def test_invitations_go(hana: User, dee: User, sol: User) -> None:
    space = Space.open(hana, title="Tea", audience=Space.Audience.NAMED, invited=[dee, sol])
    dee.erase()
    assert [invitation.user for invitation in space.invitations.all()] == [sol]


def test_a_person_in_a_space_is_taken_out(
    tea: Space, sol: User, speaker: Participant, django_capture_on_commit_callbacks: object
) -> None:
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        sol.erase()
    speaker.refresh_from_db()
    assert speaker.barred_at is not None
    assert not speaker.on_stage


def test_pages_of_an_ended_space_name_and_link_no_erased_person(
    tea: Space, hana: User, sol: User, lior: User, speaker: Participant, listener: Participant, log_in: object
) -> None:
    tea.end()
    sol.erase()
    hana.erase()
    page = log_in(lior).get(f"/spaces/{tea.pk}/").content.decode()  # type: ignore[operator]
    assert "Hosted by Deleted account" in page
    assert "gone_" not in page
    assert "Sol Aker" not in page
