"""Hints for whoever is on the stage: he talks while closed, nothing comes of the microphone, nothing arrives."""

import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic

import pytest
from playwright.sync_api import Locator, Playwright, expect

from tests.browser.conftest import HANA, RATE, SOL
from tests.browser.person import PATIENCE_SECONDS, Person, until
from tests.browser.test_microphone import NOTE_TRACKS, open_tracks, settings
from tests.machine import Machine

pytestmark = pytest.mark.browser
JoinAs = Callable[..., Person]
LONG = PATIENCE_SECONDS * 1000
HINT_SECONDS = 3.0
SLACK_SECONDS = 10.0  # of the tests' machine, with six programs on two cores; the printed figure tells

# Keeps what each connection sends, and lets a test put nothing in its place.
KEEP_SENDERS = """window.senders = [];
window.RTCPeerConnection = class extends RTCPeerConnection {
  addTransceiver(...options) {
    const transceiver = super.addTransceiver(...options);
    window.senders.push(transceiver.sender);
    return transceiver;
  }
};"""
SENT = "() => window.senders.at(-1).track !== null"
CHOICE = "Tell me when I talk while I am muted"


@pytest.fixture
def hana(join_as: JoinAs) -> Iterator[Person]:
    """In her Space, at an open microphone, and watched."""
    one = join_as("hana", tone=HANA)
    one.page.add_init_script(NOTE_TRACKS)
    one.page.add_init_script(KEEP_SENDERS)
    one.join(one.open_space())
    one.open_microphone()
    yield one
    assert one.problems == []


@pytest.fixture
def silent_sol(site: Machine, playwright: Playwright, chromium_path: str, tmp_path: Path) -> Iterator[Person]:
    """sol with a device that is switched off."""
    path = tmp_path / "silence.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(bytes(2 * RATE))
    sol = Person(playwright, chromium_path, site, "sol", path)
    sol.new_page()
    yield sol
    sol.close()


def banner(person: Person, key: str) -> Locator:
    return person.page.locator(f"[data-banner={key}]")


def appears_within(shown: Locator, seconds: float) -> None:
    start = monotonic()
    expect(shown).to_be_visible(timeout=LONG)
    took = monotonic() - start
    print(f"told after {took:.1f} s")
    assert took < seconds + SLACK_SECONDS


def test_whoever_talks_into_a_closed_microphone_is_told_and_opens_it_from_there(hana: Person, join_as: JoinAs) -> None:
    lior = join_as("lior")
    lior.join(hana.page.url)
    lior.until_hears(HANA)
    hana.find("mic").click()
    expect(hana.find("mic")).to_have_attribute("data-state", "closed")
    appears_within(banner(hana, "talking"), HINT_SECONDS)
    expect(hana.page.locator("#announcer")).to_have_text("You are talking, but your microphone is closed.")
    assert hana.page.evaluate(SENT) is False, "measured, not sent"
    lior.last_heard(HANA)
    banner(hana, "talking").get_by_role("button", name="Open the microphone").click()
    lior.until_hears(HANA)
    expect(banner(hana, "talking")).to_have_count(0)
    assert open_tracks(hana) == 1


def test_whoever_does_not_want_that_has_his_microphone_given_back(hana: Person) -> None:
    dialog = settings(hana)
    choice = dialog.get_by_label(CHOICE)
    expect(choice).to_be_checked()
    choice.uncheck()
    dialog.get_by_role("button", name="Done").click()
    assert open_tracks(hana) == 1, "it is still open"
    hana.find("mic").click()
    until(lambda: open_tracks(hana) == 0, "the microphone is closed")
    hana.open_microphone()
    settings(hana).get_by_label(CHOICE).check()
    hana.page.get_by_role("button", name="Done").click()
    hana.find("mic").click()
    appears_within(banner(hana, "talking"), HINT_SECONDS)
    settings(hana).get_by_label(CHOICE).uncheck()
    hana.page.get_by_role("button", name="Done").click()
    until(lambda: open_tracks(hana) == 0, "the microphone is closed with the choice, too")
    expect(banner(hana, "talking")).to_have_count(0)
    settings(hana).get_by_label(CHOICE).check()
    hana.page.get_by_role("button", name="Done").click()
    until(lambda: open_tracks(hana) == 0, "and is not opened by it")


def test_a_microphone_that_the_host_closes_or_that_leaves_the_stage_is_given_back(
    hana: Person, join_as: JoinAs
) -> None:
    sol = join_as("sol", tone=SOL)
    sol.page.add_init_script(NOTE_TRACKS)
    sol.join(hana.page.url)
    sol.ask_and_be_admitted(hana)
    sol.open_microphone()
    hana.choose("sol", "mute")
    until(lambda: open_tracks(sol) == 0, "closed by the host")
    hana.choose("sol", "unmute")
    expect(sol.find("mic")).to_have_attribute("data-state", "closed", timeout=LONG)
    assert open_tracks(sol) == 0
    sol.open_microphone()
    sol.find("mic").click()
    appears_within(banner(sol, "talking"), HINT_SECONDS)
    assert open_tracks(sol) == 1
    hana.choose("sol", "mute")
    until(lambda: open_tracks(sol) == 0, "closed by the host while it was measured")
    hana.choose("sol", "unmute")
    expect(sol.find("mic")).to_have_attribute("data-state", "closed", timeout=LONG)
    sol.open_microphone()
    sol.find("mic").click()
    appears_within(banner(sol, "talking"), HINT_SECONDS)
    hana.choose("sol", "move")
    until(lambda: open_tracks(sol) == 0, "in the audience")


def test_a_device_that_gives_nothing_is_told_of(hana: Person, silent_sol: Person) -> None:
    expect(banner(hana, "dead")).to_have_count(0)
    silent_sol.join(hana.page.url)
    silent_sol.ask_and_be_admitted(hana)
    silent_sol.open_microphone()
    appears_within(banner(silent_sol, "dead"), HINT_SECONDS)
    banner(silent_sol, "dead").get_by_role("button", name="Microphone settings").click()
    expect(silent_sol.page.get_by_role("dialog", name="Microphone settings")).to_be_visible()
    expect(banner(hana, "dead")).to_have_count(0)


def test_whoever_is_open_and_does_not_arrive_is_told(hana: Person) -> None:
    expect(banner(hana, "lost")).to_have_count(0)
    hana.page.evaluate("window.senders.at(-1).replaceTrack(null)")
    appears_within(banner(hana, "lost"), HINT_SECONDS)
    expect(banner(hana, "lost").get_by_role("button", name="Microphone settings")).to_be_visible()
    hana.page.evaluate("window.senders.at(-1).replaceTrack(window.tracks.at(-1))")
    expect(banner(hana, "lost")).to_have_count(0, timeout=LONG)
