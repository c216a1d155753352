"""The demonstration as a newcomer meets it: one link, one click, and speech."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect

from tests.rig.browser.counters import KEEP_CONNECTIONS
from tests.rig.browser.firefox import FirefoxPerson, firefox
from tests.rig.browser.hearing import AUDIBLE_DECIBELS, LISTEN
from tests.rig.browser.person import FLAGS, PATIENCE_SECONDS, until
from tests.rig.machine import Machine

pytestmark = [pytest.mark.browser, pytest.mark.proof]

MS = 1000
HEAR_SECONDS = 60  # from the printed links to the first word, as promised
# The energy of all sound that the page has received (RTCInboundRtpStreamStats.totalAudioEnergy, W3C webrtc-stats).
ENERGY = """async () => {
  let energy = 0;
  for (const connection of window.connections ?? []) {
    (await connection.getStats()).forEach((report) => { energy += report.totalAudioEnergy ?? 0; });
  }
  return energy;
}"""


@pytest.fixture(scope="module")
def demo() -> Iterator[Machine]:
    """A demonstration of its own, with members that act on their own."""
    machine = Machine()
    try:
        machine.start(bots=True)
        yield machine
    finally:
        machine.remove()


@pytest.fixture
def browser(playwright: Playwright, chromium_path: str) -> Iterator[Browser]:
    started = playwright.chromium.launch(executable_path=chromium_path, args=FLAGS)
    yield started
    started.close()


@pytest.fixture
def page(browser: Browser) -> Page:
    page = browser.new_context(viewport={"width": 1280, "height": 800}, permissions=["microphone"]).new_page()
    page.add_init_script(KEEP_CONNECTIONS)
    return page


def link(demo: Machine, handle: str) -> str:
    """The link that the console printed for this member."""
    found = re.search(rf"http://\S+/demo/as/{handle}/\S+", demo.said())
    assert found, demo.said()
    return found[0]


def test_one_click_lets_a_newcomer_hear_speech(demo: Machine, page: Page) -> None:
    printed = time.monotonic()
    page.goto(link(demo, "lior"))
    page.get_by_role("button", name="Start listening").click()
    until(lambda: page.evaluate(ENERGY) > 0.001, "energy in the received sound", HEAR_SECONDS)
    print(f"heard {time.monotonic() - printed:.1f} s after the link was opened")
    expect(page.get_by_test_id("stage-person")).to_have_count(3, timeout=PATIENCE_SECONDS * MS)


@pytest.mark.needs_firefox
def test_one_click_lets_a_newcomer_hear_speech_in_firefox(demo: Machine, tmp_path: Path) -> None:
    with firefox(tmp_path, tone=1_000) as bidi:
        lior = FirefoxPerson(bidi, demo, "lior")
        lior.new_page()
        printed = time.monotonic()
        lior.tab.goto(link(demo, "lior"))
        lior.click("join")
        until(lambda: loudest(lior) > AUDIBLE_DECIBELS, "speech in the received sound", HEAR_SECONDS)
        print(f"Firefox: heard {time.monotonic() - printed:.1f} s after the link was opened")
        assert lior.problems == []


def loudest(person: FirefoxPerson) -> float:
    """Decibels of the loudest frequency that the page plays now."""
    return max((value for value in person.look(LISTEN) or [] if value is not None), default=-200.0)


def test_the_welcome_page_logs_in_with_one_click(demo: Machine, page: Page) -> None:
    page.goto(demo.address)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.get_by_role("link", name="Host a Space as Hana").click()
    expect(page.locator("input[name=title]")).to_have_value("An evening at Hana's")


def test_there_are_three_cases_with_sound_and_one_of_them_is_live(demo: Machine, page: Page) -> None:
    until(lambda: demo.rows("SELECT count(*) FROM moderation_case")[0][0] == 3, "three cases", 180)
    page.goto(link(demo, "mo"))
    expect(page.get_by_text("3 results")).to_be_visible()
    expect(page.get_by_text("live now").first).to_be_visible()
    until(
        lambda: demo.rows("SELECT count(*) FROM recordings_recording WHERE state = 'mixed'")[0][0] >= 1,
        "a mix",
        300,
    )


def test_a_host_gets_listeners_a_question_and_a_heckler(demo: Machine, page: Page) -> None:
    page.goto(link(demo, "hana"))
    page.get_by_role("button", name="Go live").click()
    page.get_by_test_id("join").click()
    expect(page.get_by_test_id("listener")).to_have_count(3, timeout=PATIENCE_SECONDS * MS)
    for name in ("Mira Sand", "Gus Grabb"):
        page.get_by_role("button", name=re.compile(f"Let {name} speak")).click(timeout=120 * MS)
        expect(page.locator("[data-testid=stage-person]", has_text=name)).to_be_visible(timeout=PATIENCE_SECONDS * MS)
        before = page.evaluate(ENERGY)
        until(lambda before=before: page.evaluate(ENERGY) > before + 0.001, f"the voice of {name}")  # type: ignore[misc]
