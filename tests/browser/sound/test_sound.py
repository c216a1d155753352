"""The whole way once, in real browsers: checked in the received sound, not in a flag of the page."""

import os
import signal
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from rooms.protocol import Close
from tests.browser.conftest import HANA, SOL
from tests.rig.browser.person import PATIENCE_SECONDS, Person, until
from tests.rig.machine import Machine

pytestmark = pytest.mark.browser
JoinAs = Callable[..., Person]
LIMIT_SECONDS = 3.0  # one is promised, on a machine that has nothing else to do; the printed figures tell
BACK_SECONDS = 15.0  # ten are promised, likewise
LOST_SECONDS = 5.0  # of a track, when its node dies: the chunk that was open
MARGIN_SECONDS = 0.5  # of the test's own clock, and of packets that were on their way
ENDS = """
    SELECT handle, max(chunk.start_ms + chunk.duration_ms) / 1000.0
    FROM recordings_chunk chunk JOIN recordings_track track ON track.id = track_id
    JOIN rooms_participant person ON person.id = participant_id JOIN accounts_user member ON member.id = person.user_id
    JOIN rooms_space space ON space.id = space_id
    WHERE space.state = 'live' AND extract(epoch FROM space.started_at) + chunk.start_ms / 1000.0 < {before}
    GROUP BY handle
"""


@pytest.fixture
def room(speakers: tuple[Person, Person], join_as: JoinAs) -> tuple[Person, Person, Person]:
    """hana and sol at open microphones, lior listening."""
    lior = join_as("lior")
    lior.join(speakers[0].page.url)
    return *speakers, lior


def test_everyone_hears_the_others_and_not_their_own_voice(room: tuple[Person, Person, Person]) -> None:
    hana, sol, lior = room
    for listener, tone in ((lior, HANA), (lior, SOL), (hana, SOL), (sol, HANA)):
        print(f"{listener.handle} hears {tone} Hz after {listener.until_hears(tone):.2f} s")
    assert not hana.hears_within(HANA, 2), "hana hears her own voice"
    assert not sol.hears_within(SOL, 2), "sol hears their own voice"
    assert sol.page.evaluate("window.stillTheSamePage === true"), "sol's page was loaded again"
    assert hana.problems + sol.problems + lior.problems == []


def test_a_mute_by_the_host_silences(room: tuple[Person, Person, Person]) -> None:
    hana, sol, lior = room
    lior.until_hears(SOL)
    hana.choose("sol", "mute")
    took = lior.last_heard(SOL)
    print(f"muted by the host: silent after {took:.2f} s")
    assert took < LIMIT_SECONDS
    assert not lior.hears_within(SOL, 2)
    expect(sol.on_stage("sol")).to_contain_text("muted")
    lior.until_hears(HANA)
    hana.choose("sol", "unmute")
    assert not lior.hears_within(SOL, 1), "the microphone opened without a click"
    sol.open_microphone()
    lior.until_hears(SOL)


def test_ones_own_mute_silences_and_opening_is_heard_again(room: tuple[Person, Person, Person]) -> None:
    _, sol, lior = room
    lior.until_hears(SOL)
    sol.page.keyboard.press("m")
    took = lior.last_heard(SOL)
    print(f"muted by key: silent after {took:.2f} s")
    assert took < LIMIT_SECONDS
    sol.page.keyboard.press("m")
    print(f"opened again: heard after {lior.until_hears(SOL):.2f} s")


def test_a_removed_person_is_silent_and_cannot_come_back(room: tuple[Person, Person, Person]) -> None:
    hana, sol, lior = room
    lior.until_hears(SOL)
    path = sol.page.url
    hana.choose("sol", "remove", confirm=True)
    took = lior.last_heard(SOL)
    print(f"removed: silent after {took:.2f} s")
    assert took < LIMIT_SECONDS
    expect(sol.find("screen-removed")).to_be_visible(timeout=PATIENCE_SECONDS * 1000)
    assert not sol.hears_within(HANA, 2), "the removed person still hears the Space"
    answer = sol.page.goto(path)
    assert answer is not None
    assert answer.status == 404
    assert sol.knock(path) == Close.NOT_FOUND


def test_the_uninvited_get_nothing(room: tuple[Person, Person, Person], join_as: JoinAs) -> None:
    hana, _, _ = room
    dee = join_as("dee")
    path = hana.page.url
    answer = dee.page.goto(path)
    assert answer is not None
    assert answer.status == 404
    assert dee.knock(path) == Close.NOT_FOUND
    dee.page.goto("/")
    assert "Tea at four" not in dee.page.content()


def test_reactions_arrive(room: tuple[Person, Person, Person]) -> None:
    hana, _, lior = room
    seen = """() => { window.seen = 0;
      new MutationObserver((all) => all.forEach((one) => one.addedNodes.forEach((node) => {
        if (node.textContent.includes("👏")) window.seen += 1;
      }))).observe(document.body, { childList: true, subtree: true }); }"""
    hana.page.evaluate(seen)
    lior.find("reactions").click()
    lior.page.locator("[data-emoji=👏]").click()
    took = until(lambda: hana.page.evaluate("window.seen") > 0, "hana sees lior's reaction")
    print(f"reaction seen after {took:.2f} s")


def test_after_the_end_nothing_plays(room: tuple[Person, Person, Person]) -> None:
    hana, sol, lior = room
    lior.until_hears(HANA)
    hana.find("end").click()
    hana.find("confirm").click()
    for person in (sol, lior, hana):
        screen = person.page.locator("[data-testid=screen-ended], [data-testid=ended]")
        expect(screen.first).to_be_visible(timeout=PATIENCE_SECONDS * 1000)
    assert not lior.hears_within(HANA, 2)
    assert lior.knock(sol.page.url) in (Close.NOT_FOUND, Close.ENDED)


def test_the_sound_is_back_after_the_media_node_was_killed(room: tuple[Person, Person, Person], site: Machine) -> None:
    hana, sol, lior = room
    lior.until_hears(HANA)
    lior.until_hears(SOL)
    until(lambda: set(ends(site, time.time())) == {"hana", "sol"}, "both tracks have begun to reach the storage")
    killed = time.time()
    os.kill(site.child("runmedia"), signal.SIGKILL)
    print(f"killed: silent after {lior.last_heard(HANA, silence=1.0):.2f} s")
    for listener, tone in ((lior, HANA), (lior, SOL), (hana, SOL), (sol, HANA)):
        listener.until_hears(tone)
        took = time.time() - killed
        print(f"{listener.handle} hears {tone} Hz {took:.2f} s after the end of the node")
        assert took < BACK_SECONDS
    least_end = killed - started(site) - LOST_SECONDS - MARGIN_SECONDS
    until(lambda: min(ends(site, killed).values()) > least_end, "of each track at most the open chunk is lost")
    for handle, end in ends(site, killed).items():
        print(f"of the track of {handle} the last {killed - started(site) - end:.1f} s before the end are lost")


def ends(site: Machine, before: float) -> dict[str, float]:
    """Room time in seconds at which the track of each speaker of the live Space ends, as far as it began `before`."""
    return {str(handle): float(str(end)) for handle, end in site.rows(ENDS.format(before=before))}


def started(site: Machine) -> float:
    """Unix time of the beginning of the live Space."""
    rows = site.rows("SELECT extract(epoch FROM started_at) FROM rooms_space WHERE state = 'live'")
    return float(str(rows[0][0]))
