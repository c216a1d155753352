"""Hints on the stage: they talk while muted, the microphone gives nothing, nothing of it arrives."""

import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Playwright, expect

from tests.browser.conftest import HANA, RATE, SOL
from tests.browser.sound.test_microphone import NOTE_TRACKS, open_tracks, settings
from tests.rig.browser.person import PATIENCE_SECONDS, Person, until
from tests.rig.machine import Machine

pytestmark = pytest.mark.browser
JoinAs = Callable[..., Person]
LONG = PATIENCE_SECONDS * 1000
HINT_SECONDS = 3.0
SLACK_SECONDS = 1.0  # of the tests' machine, with six programs on two cores; the printed figure tells

# Notes, by the page's own clock, the last click or opening of the microphone, and when each banner appeared last.
NOTE_TIMES = """window.shown = {};
addEventListener("click", () => { window.began = performance.now(); }, true);
new MutationObserver((changes) => {
  for (const { addedNodes, target } of changes) {
    if (target.dataset?.testid === "mic" && target.dataset.state === "open") window.began = performance.now();
    for (const node of addedNodes) if (node.dataset?.banner) window.shown[node.dataset.banner] = performance.now();
  }
}).observe(document, { childList: true, subtree: true, attributeFilter: ["data-state"] });"""
TOOK = "(key) => (window.shown[key] - window.began) / 1000"

# Keeps what each connection sends, and lets a test put nothing in its place.
KEEP_SENDERS = """window.senders = parent.senders ?? [];
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
    one.page.add_init_script(NOTE_TIMES)
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
    sol.page.add_init_script(NOTE_TIMES)
    yield sol
    sol.close()


def banner(person: Person, key: str) -> Locator:
    return person.page.locator(f"[data-banner={key}]")


def appears_in_time(person: Person, key: str) -> None:
    """Check that the banner comes within HINT_SECONDS of the last click or opening of the microphone."""
    expect(banner(person, key)).to_be_visible(timeout=LONG)
    took = person.page.evaluate(TOOK, key)
    print(f"{key}: shown after {took:.2f} s")
    assert 0 < took < HINT_SECONDS + SLACK_SECONDS


def test_a_member_who_talks_while_muted_gets_a_hint_that_unmutes(hana: Person, join_as: JoinAs) -> None:
    lior = join_as("lior")
    lior.join(hana.page.url)
    lior.until_hears(HANA)
    hana.find("mic").click()
    expect(hana.find("mic")).to_have_attribute("data-state", "closed")
    appears_in_time(hana, "talking")
    expect(hana.page.locator("#announcer")).to_have_text("You are talking, but you are muted.")
    assert hana.page.evaluate(SENT) is False, "measured, not sent"
    lior.last_heard(HANA)
    banner(hana, "talking").get_by_role("button", name="Unmute").click()
    lior.until_hears(HANA)
    expect(banner(hana, "talking")).to_have_count(0)
    assert open_tracks(hana) == 1


def test_without_that_choice_the_device_is_given_back(hana: Person) -> None:
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
    appears_in_time(hana, "talking")
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
    sol.page.add_init_script(NOTE_TIMES)
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
    appears_in_time(sol, "talking")
    assert open_tracks(sol) == 1
    hana.choose("sol", "mute")
    until(lambda: open_tracks(sol) == 0, "closed by the host while it was measured")
    hana.choose("sol", "unmute")
    expect(sol.find("mic")).to_have_attribute("data-state", "closed", timeout=LONG)
    sol.open_microphone()
    sol.find("mic").click()
    appears_in_time(sol, "talking")
    hana.choose("sol", "move")
    until(lambda: open_tracks(sol) == 0, "in the audience")


def test_a_device_that_gives_nothing_is_shown(hana: Person, silent_sol: Person) -> None:
    expect(banner(hana, "dead")).to_have_count(0)
    silent_sol.join(hana.page.url)
    silent_sol.ask_and_be_admitted(hana)
    silent_sol.open_microphone()
    appears_in_time(silent_sol, "dead")
    banner(silent_sol, "dead").get_by_role("button", name="Microphone settings").click()
    expect(silent_sol.page.get_by_role("dialog", name="Microphone settings")).to_be_visible()
    expect(banner(hana, "dead")).to_have_count(0)


def test_an_open_microphone_of_which_nothing_arrives_is_shown(hana: Person) -> None:
    expect(banner(hana, "lost")).to_have_count(0)
    hana.page.evaluate("window.began = performance.now(); window.senders.at(-1).replaceTrack(null)")
    appears_in_time(hana, "lost")
    expect(banner(hana, "lost").get_by_role("button", name="Microphone settings")).to_be_visible()
    hana.page.evaluate("window.senders.at(-1).replaceTrack(window.tracks.at(-1))")
    expect(banner(hana, "lost")).to_have_count(0, timeout=LONG)
