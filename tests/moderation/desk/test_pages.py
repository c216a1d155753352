"""The queue and the desk in the admin: who gets in, the sound, the decision."""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.utils import timezone
from pytest_django.asserts import assertNumQueries

from accounts.models import User
from moderation import staff
from moderation.models import AuditEvent, Case, Decision, Report
from moderation.rules import CLAIM_IDLE, Kind
from recordings import files
from recordings.models import Recording
from rooms.media.units import MS
from rooms.models import Participant, Space
from tests.moderation.conftest import TEXT
from tests.rig.rights import give
from tests.rig.sound.captured import decoded, strength

Browser = Callable[[User], Client]
QUEUE = "/admin/moderation/case/"
WHY = "You read out someone's address. Our rules forbid it."


def desk(case: Case, step: str = "change/") -> str:
    return f"{QUEUE}{case.pk}/{step}"


def sound(case: Case, name: str = "own", start: object = 0, stop: object = 10_000) -> str:
    return desk(case, f"sound/{name}/?from={start}&to={stop}")


STEPS = ["change/", "claim/", "release/", "decide/", "followed/", "sound/own/?from=0&to=9", "sound/waveform/"]


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def decide(browser: Client, case: Case, **said: Any) -> Any:
    return browser.post(desk(case, "decide/"), said, follow=True)


# Refusals


@pytest.mark.parametrize("method", ["get", "post"])
def test_anonymous_is_sent_to_allauths_log_in(client: Client, case: Case, method: str) -> None:
    for step in STEPS:
        answer = getattr(client, method)(desk(case, step))
        assert answer.status_code == 302
        assert client.get(answer["Location"])["Location"].startswith("/accounts/login/")
    assert not AuditEvent.objects.filter(verb__in=["case_read", "sound_fetched"]).exists()


@pytest.mark.parametrize("who", ["hana", "sol", "lior"])
def test_members_get_nothing(log_in: Browser, case: Case, who: str) -> None:
    browser = log_in(User.objects.get(handle=who))
    for address in (QUEUE, *(desk(case, step) for step in STEPS)):
        answer = browser.get(address, follow=True)
        assert answer.status_code == 403
        assert TEXT not in answer.content.decode()


def test_staff_without_the_permission_get_nothing(log_in: Browser, mo: User, case: Case) -> None:
    browser = log_in(mo)
    assert browser.get(QUEUE).status_code == 403
    for step in STEPS:
        method = browser.post if step in ("claim/", "release/", "decide/") else browser.get
        assert method(desk(case, step)).status_code == 403


def test_a_case_about_oneself_does_not_exist_for_one(log_in: Browser, case: Case, sol: User) -> None:
    give(sol, is_staff=True, is_superuser=True)
    browser = log_in(sol)
    for step in ("change/", "sound/own/?from=0&to=9", "followed/"):
        assert browser.get(desk(case, step)).status_code == 404
    assert browser.post(desk(case, "claim/")).status_code == 404
    assert f"{case.pk}" not in browser.get(f"{QUEUE}?state=all").content.decode()


@pytest.mark.parametrize("text", ["1", "x", "../", f"{'0' * 36}"])
def test_no_such_case_is_404(log_in: Browser, reviewer: User, text: str) -> None:
    assert log_in(reviewer).get(f"{QUEUE}{text}/change/").status_code == 404


@pytest.mark.parametrize("step", ["add/", "{case}/delete/", "{case}/history/"])
def test_nothing_is_added_or_deleted(log_in: Browser, case: Case, step: str) -> None:
    root = User.objects.create_superuser("root")
    answer = log_in(root).get(QUEUE + step.format(case=case.pk))
    assert answer.status_code in (403, 404) or step.endswith("history/")
    assert log_in(root).post(QUEUE, {"action": "delete_selected", "_selected_action": case.pk}).status_code != 500
    assert Case.objects.filter(pk=case.pk).exists()


def test_sound_needs_a_claim(log_in: Browser, reviewer: User, colleague: User, case: Case, heard: Recording) -> None:
    assert log_in(reviewer).get(sound(case)).status_code == 403
    case.claim(colleague)
    assert log_in(reviewer).get(sound(case)).status_code == 403
    assert log_in(colleague).get(sound(case)).status_code == 200
    Case.objects.update(active_at=timezone.now() - CLAIM_IDLE)
    assert log_in(colleague).get(sound(case)).status_code == 403


def test_sound_ends_with_the_decision(log_in: Browser, reviewer: User, claimed: Case, heard: Recording) -> None:
    claimed.decide(reviewer, Kind.DISMISS, WHY)
    assert log_in(reviewer).get(sound(claimed)).status_code == 403


@pytest.mark.parametrize(("start", "stop"), [("x", 9), (-1, 9), (9, 9), (0, 600_001), ("", "")])
def test_a_senseless_stretch_is_refused(log_in: Browser, reviewer: User, claimed: Case, start: Any, stop: Any) -> None:
    assert log_in(reviewer).get(sound(claimed, "own", start, stop)).status_code == 400
    assert not AuditEvent.objects.filter(verb="sound_fetched").exists()


def test_there_are_no_other_sounds(log_in: Browser, reviewer: User, claimed: Case) -> None:
    assert log_in(reviewer).get(sound(claimed, "all")).status_code == 404


def test_purged_sound_is_gone(log_in: Browser, reviewer: User, claimed: Case, heard: Recording) -> None:
    claimed.space.end()
    heard.close()
    Recording.objects.update(state="purged")
    assert log_in(reviewer).get(sound(claimed)).status_code == 404


# The queue


def test_the_queue_shows_open_cases_the_worst_first(
    log_in: Browser, reviewer: User, tea: Space, report: Report, hana: User, lior: User, host: Participant
) -> None:
    worse = Report.file(lior, tea, host, "minors").case
    text = log_in(reviewer).get(QUEUE).content.decode()
    assert text.index(str(worse.pk)) < text.index(str(report.case_id))
    assert "urgent" in text
    assert "live now, still inside" in text


def test_the_queue_shows_who_has_claimed(log_in: Browser, reviewer: User, claimed: Case) -> None:
    assert "claimed by Mo Staff" in log_in(reviewer).get(QUEUE).content.decode()
    Case.objects.update(active_at=timezone.now() - CLAIM_IDLE)
    assert "claim expired" in log_in(reviewer).get(QUEUE).content.decode()


@pytest.mark.parametrize(("state", "shown"), [("", True), ("free", False), ("mine", True), ("decided", False)])
def test_the_queue_is_filtered(log_in: Browser, reviewer: User, claimed: Case, state: str, shown: bool) -> None:
    assert (str(claimed.pk) in log_in(reviewer).get(f"{QUEUE}?state={state}").content.decode()) is shown


@pytest.mark.parametrize("address", [QUEUE, "/admin/accounts/user/"])
def test_the_search_of_a_list_has_a_name(log_in: Browser, case: Case, address: str) -> None:
    page = log_in(User.objects.create_superuser("root")).get(address).content.decode()
    assert 'id="searchbar"' in page
    assert 'aria-label="Search"' in page


def test_an_empty_queue_says_what_to_do(log_in: Browser, reviewer: User) -> None:
    browser = log_in(reviewer)
    assert "No case is open." in browser.get(QUEUE).content.decode()
    for query in ("?state=decided", "?q=nobody"):
        assert "No case matches." in browser.get(QUEUE + query).content.decode()


def test_the_queue_takes_the_same_few_queries_however_long(
    log_in: Browser, reviewer: User, tea: Space, report: Report, lior: User, dee: User, host: Participant
) -> None:
    browser = log_in(reviewer)
    browser.get(QUEUE)
    dee.follow(tea.host)
    for subject in (host, tea.enter(dee)):
        Report.file(lior, tea, subject, "hate")
    with assertNumQueries(6):
        browser.get(QUEUE)


# The desk


def test_the_desk_opens_by_claiming(log_in: Browser, reviewer: User, case: Case, heard: Recording) -> None:
    browser = log_in(reviewer)
    closed = browser.get(desk(case)).content.decode()
    assert "<audio" not in closed
    opened = browser.post(desk(case, "claim/"), follow=True).content.decode()
    assert opened.count("<audio") == 2
    assert opened.count('controls muted preload="none"') == 2
    assert "autoplay" not in opened
    assert "private facts" in opened  # the note comes before the sound
    assert opened.index("private facts") < opened.index("<audio")


def test_comments_and_reporters_open_with_the_claim_alone(
    log_in: Browser, reviewer: User, colleague: User, case: Case, lior: User
) -> None:
    """Not before it, not for a colleague, not on a list, and not after the decision."""
    browser, other = log_in(reviewer), log_in(colleague)

    def shown(who: Client, address: str = desk(case)) -> list[bool]:
        page = who.get(address).content.decode()
        return [mark in page for mark in (TEXT, f"@{lior.handle}", str(lior.pk))]

    assert shown(browser) == [False, False, False]
    case.claim(reviewer)
    assert shown(browser) == [True, True, False]
    assert shown(other) == shown(browser, f"{QUEUE}?state=all") == [False, False, False]
    case.decide(reviewer, Kind.DISMISS, WHY)
    assert shown(browser) == [False, False, False]


def test_who_reported_sees_no_other_reporter(
    log_in: Browser, reviewer: User, case: Case, tea: Space, speaker: Participant
) -> None:
    reviewer.follow(tea.host)
    tea.enter(reviewer)
    Report.file(reviewer, tea, speaker, "hate")
    page = log_in(reviewer).get(desk(case)).content.decode()
    assert "You reported this yourself" in page
    assert TEXT not in page
    assert "@lior" not in page


def test_a_case_of_a_space_in_which_one_spoke_does_not_exist_for_one(
    log_in: Browser, case: Case, hana: User, host: Participant
) -> None:
    staff.make_reviewer(hana)
    browser = log_in(hana)
    assert browser.get(desk(case)).status_code == browser.post(desk(case, "claim/")).status_code == 404
    assert f"{case.pk}" not in browser.get(f"{QUEUE}?state=all").content.decode()


def test_reading_a_case_is_in_the_trail(log_in: Browser, reviewer: User, case: Case) -> None:
    log_in(reviewer).get(desk(case))
    read = AuditEvent.objects.get(verb="case_read")
    assert read.actor == reviewer.pk
    assert read.objects_touched == {"case": str(case.pk)}


@pytest.mark.parametrize(("name", "hertz"), [("own", 440), ("mix", 880)])
def test_the_sound_of_the_stretch_is_heard(
    log_in: Browser, reviewer: User, claimed: Case, heard: Recording, name: str, hertz: int
) -> None:
    answer = log_in(reviewer).get(sound(claimed, name, 1000, 6000))
    pcm = decoded(body(answer))
    assert answer["Content-Type"].startswith("audio/ogg")
    assert "no-store" in answer["Cache-Control"]
    assert strength(pcm, hertz, 500) < 0.01
    assert strength(pcm, hertz, 2000) > 0.1
    assert np.isclose(len(pcm) / MS, 5000, atol=100)


def test_while_live_a_stretch_ends_with_the_sound(
    log_in: Browser, reviewer: User, claimed: Case, heard: Recording
) -> None:
    pcm = decoded(body(log_in(reviewer).get(sound(claimed, "own", 0, 60_000))))
    assert np.isclose(len(pcm) / MS, 6000, atol=100)


def test_a_stretch_ends_with_the_space(log_in: Browser, reviewer: User, claimed: Case, heard: Recording) -> None:
    assert claimed.space.started_at
    ended = claimed.space.started_at + timedelta(seconds=8)
    Space.objects.filter(pk=claimed.space_id).update(state=Space.State.ENDED, ended_at=ended)
    browser = log_in(reviewer)
    assert "0:00–0:08" in browser.get(desk(claimed)).content.decode()
    for name in ("own", "mix"):
        pcm = decoded(body(browser.get(sound(claimed, name, 0, 60_000))))
        assert np.isclose(len(pcm) / MS, 8000, atol=100)


@pytest.mark.parametrize("name", ["own", "mix"])
def test_while_live_a_time_without_talk_is_silence(
    log_in: Browser, reviewer: User, claimed: Case, heard: Recording, name: str
) -> None:
    """Of silence nothing is kept; what is a quarter of a minute old has had the time to come."""
    Space.objects.filter(pk=claimed.space_id).update(started_at=timezone.now() - timedelta(seconds=45))
    pcm = decoded(body(log_in(reviewer).get(sound(claimed, name, 20_000, 60_000))))
    assert np.isclose(len(pcm) / MS, 10_000, atol=1000)
    assert not pcm.any()


def test_sound_comes_by_range_and_every_fetch_is_in_the_trail(
    log_in: Browser, reviewer: User, claimed: Case, heard: Recording
) -> None:
    browser = log_in(reviewer)
    whole = body(browser.get(sound(claimed)))
    part = browser.get(sound(claimed), headers={"Range": "bytes=10-19"})
    assert part.status_code == 206
    assert body(part) == whole[10:20]
    fetched = AuditEvent.objects.filter(verb="sound_fetched").order_by("id")
    assert [event.detail.facts["range"] for event in fetched] == ["", "bytes=10-19"]
    assert fetched[0].detail.facts == {"source": "own", "from_ms": 0, "to_ms": 10_000, "range": ""}
    assert fetched[0].actor == reviewer.pk


def test_the_waveform_is_for_the_owner_of_the_claim(
    log_in: Browser, reviewer: User, colleague: User, claimed: Case, heard: Recording
) -> None:
    assert log_in(reviewer).get(desk(claimed, "sound/waveform/")).status_code == 404
    drawing = b'{"data": [0, 1]}'
    files.save(f"{heard.prefix}/mixed/drawn.json", ContentFile(drawing))
    digest = hashlib.sha256(drawing).hexdigest()
    Recording.objects.update(waveform_key=f"{heard.prefix}/mixed/drawn.json", waveform_sha256=digest)
    assert body(log_in(reviewer).get(desk(claimed, "sound/waveform/"))) == drawing
    assert log_in(colleague).get(desk(claimed, "sound/waveform/")).status_code == 403


def test_staff_who_lost_the_claim_see_it(log_in: Browser, reviewer: User, claimed: Case, colleague: User) -> None:
    Case.objects.update(active_at=timezone.now() - CLAIM_IDLE)
    claimed.claim(colleague)
    answer = decide(log_in(reviewer), claimed, kind="dismiss", reason=WHY)
    assert "Claim the case first" in answer.content.decode()
    assert not Decision.objects.exists()


def test_a_case_is_given_back(log_in: Browser, reviewer: User, claimed: Case) -> None:
    log_in(reviewer).post(desk(claimed, "release/"))
    claimed.refresh_from_db()
    assert claimed.state == Case.State.NEW


def test_earlier_cases_of_the_person_are_shown(
    log_in: Browser, reviewer: User, claimed: Case, lior: User, tea: Space, speaker: Participant
) -> None:
    claimed.decide(reviewer, Kind.DISMISS, WHY)
    again = Report.file(lior, tea, speaker, "hate").case
    text = log_in(reviewer).get(desk(again)).content.decode()
    assert f"{claimed.pk}/change/" in text
    assert "Dismissed: no breach found" in text


@pytest.mark.parametrize("address", ["/admin/", QUEUE, "desk"])
def test_staff_pages_have_neither_inline_script_nor_style(
    log_in: Browser, reviewer: User, claimed: Case, heard: Recording, address: str
) -> None:
    answer = log_in(reviewer).get(desk(claimed) if address == "desk" else address)
    text = answer.content.decode()
    assert "style=" not in text
    assert "<style" not in text
    assert all(" src=" in tag.split(">")[0] for tag in text.split("<script")[1:])
    assert "'unsafe" not in answer["Content-Security-Policy"]


# The trail


def test_the_trail_is_for_those_with_the_permission(log_in: Browser, reviewer: User, claimed: Case) -> None:
    assert log_in(reviewer).get("/admin/moderation/auditevent/").status_code == 403
    root = log_in(User.objects.create_superuser("root"))
    shown = root.get(f"/admin/moderation/auditevent/?q={reviewer.pk}").content.decode()
    assert "case claimed" in shown
    assert str(claimed.pk) in shown
    event = AuditEvent.objects.latest("id")
    assert "a member" in root.get("/admin/moderation/auditevent/").content.decode()
    for step in ("add/", f"{event.pk}/delete/"):
        assert root.get(f"/admin/moderation/auditevent/{step}").status_code == 403
    assert root.get(f"/admin/moderation/auditevent/{event.pk}/change/").status_code == 200


def test_the_trail_does_not_lead_to_reporters(log_in: Browser, report: Report, lior: User) -> None:
    root = log_in(User.objects.create_superuser("root"))
    trail = "/admin/moderation/auditevent/"
    event = AuditEvent.objects.get(verb="report_filed")
    for address in (trail, f"{trail}{event.pk}/change/"):
        page = root.get(address).content.decode()
        assert "report filed" in page
        assert str(lior.pk) not in page
    assert "0 results" in root.get(f"{trail}?q={lior.pk}").content.decode()
    assert root.get(f"{trail}?actor={lior.pk}").status_code == 400


@pytest.mark.parametrize(
    "query", ["reports__reporter=", "reports__reporter__handle=", "reports__words__text__icontains="]
)
def test_no_list_is_filtered_by_who_reported_what(log_in: Browser, reviewer: User, lior: User, query: str) -> None:
    assert log_in(reviewer).get(f"{QUEUE}?{query}{lior.pk}").status_code == 400


@pytest.mark.parametrize("query", ["verb__exact=%00", "q=%00", "at__year=%00", "o=%00", "p=%00"])
def test_a_nul_in_the_address_of_a_list_is_answered_with_400(log_in: Browser, report: Report, query: str) -> None:
    """PostgreSQL refuses such a text. The list of audit events answered 500."""
    root = log_in(User.objects.create_superuser("root"))
    assert root.get(f"/admin/moderation/auditevent/?{query}").status_code == 400
    assert root.get(f"{QUEUE}?{query}").status_code == 400
