"""A network that lets no live sound through: listeners get files, learn why, and get the connection back."""

import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import HANA
from tests.rig.browser.person import PATIENCE_SECONDS, Person, until

pytestmark = [pytest.mark.browser, pytest.mark.proof]
JoinAs = Callable[..., Person]
LONG = PATIENCE_SECONDS * 1000
FILES_WITHIN = 30.0  # seconds; about 15 on a machine that has nothing else to do
# While the network is closed, the page gets port 9 of the node, on which no program answers.
CLOSED = """window.closed_network ??= true;
const connect = RTCPeerConnection.prototype.setRemoteDescription;
RTCPeerConnection.prototype.setRemoteDescription = function ({ type, sdp }) {
  const closed = parent.closed_network;
  return connect.call(this, { type, sdp: closed ? sdp.replace(/^(a=candidate:.* )\\d+ (typ host)/gm, "$19 $2") : sdp });
};"""
# The facts of a page, as a site with HLS=0 sends them.
WITHOUT_FILES = """const parse = JSON.parse;
JSON.parse = (text, ...how) => {
  const facts = parse(text, ...how);
  return facts?.hls === true && facts.rules ? { ...facts, hls: false } : facts;
};"""
NO_WEBRTC = "delete window.RTCPeerConnection;"
HEARS_FILES = 'document.getElementById("room-audio").src !== ""'
WHY = "Live sound does not get through your browser or network, so you hear this Space a few seconds late."
CHECK = "Check whether a VPN or a firewall blocks UDP, or try another network or browser."


@pytest.fixture
def lior(speakers: tuple[Person, Person], join_as: JoinAs) -> Person:
    """lior in a network that lets no live sound through, inside hana's Space."""
    one = join_as("lior")
    one.page.add_init_script(CLOSED)
    one.page.goto(speakers[0].page.url)
    one.find("join").click()
    return one


def open_network(person: Person) -> None:
    person.page.evaluate("window.closed_network = false")


def banner(person: Person, key: str) -> Locator:
    return person.page.locator(f"[data-banner={key}]")


def hears_files(person: Person) -> bool:
    return bool(person.page.evaluate(HEARS_FILES))


@pytest.mark.parametrize("how", ["by the button", "without a click"])
def test_a_listener_gets_files_learns_why_and_has_the_connection_back(lior: Person, how: str) -> None:
    came = time.monotonic()
    expect(lior.find("connection")).to_contain_text("delayed by about", timeout=LONG)
    lior.until_hears(HANA)
    took = time.monotonic() - came
    print(f"hears hana as files {took:.1f} s after the click")
    assert took < FILES_WITHIN
    assert hears_files(lior)
    expect(banner(lior, "unreachable")).to_contain_text(WHY)
    expect(lior.page.locator("#announcer")).to_contain_text(WHY)
    open_network(lior)
    opened = time.monotonic()
    if how == "by the button":
        banner(lior, "unreachable").get_by_role("button", name="Try without delay").click()
    until(lambda: not hears_files(lior), "the connection")
    lior.until_connected()
    print(f"{how}: live {time.monotonic() - opened:.1f} s after the network let sound through")
    lior.until_hears(HANA)
    expect(banner(lior, "unreachable")).to_have_count(0)
    expect(lior.page.locator("#announcer")).to_have_text("You now hear the Space without delay.")
    assert lior.problems == []


def test_a_try_that_fails_interrupts_nothing(lior: Person) -> None:
    expect(lior.find("connection")).to_contain_text("delayed by about", timeout=LONG)
    lior.until_hears(HANA)
    button = banner(lior, "unreachable").get_by_role("button")
    button.click()
    expect(button).to_have_text("Trying…")
    assert lior.keeps_hearing(HANA)
    expect(button).to_have_text("Try without delay", timeout=LONG)
    expect(button).to_be_focused()
    assert lior.keeps_hearing(HANA)
    lior.find("leave").click()
    expect(banner(lior, "unreachable")).to_have_count(0)
    assert not hears_files(lior)
    assert lior.problems == []


def test_on_the_stage_the_page_says_what_to_check_and_goes_on_trying(
    lior: Person, speakers: tuple[Person, Person]
) -> None:
    expect(lior.find("connection")).to_contain_text("delayed by about", timeout=LONG)
    lior.ask_and_be_admitted(speakers[0])
    until(lambda: not hears_files(lior), "files are for listeners")
    expect(banner(lior, "reconnecting")).to_contain_text(CHECK, timeout=LONG)
    open_network(lior)
    lior.until_connected()
    lior.until_hears(HANA)
    expect(banner(lior, "reconnecting")).to_have_count(0)
    lior.choose("lior", "step-down")
    expect(lior.listening("lior")).to_be_visible()


def test_on_a_site_without_files_the_page_says_what_to_check_and_goes_on_trying(
    speakers: tuple[Person, Person], join_as: JoinAs
) -> None:
    lior = join_as("lior")
    lior.page.add_init_script(CLOSED)
    lior.page.add_init_script(WITHOUT_FILES)
    lior.page.goto(speakers[0].page.url)
    lior.find("join").click()
    expect(banner(lior, "reconnecting")).to_contain_text(CHECK, timeout=LONG)
    assert not hears_files(lior)
    open_network(lior)
    lior.until_connected()
    lior.until_hears(HANA)


def test_a_browser_without_webrtc_gets_files_and_says_why(speakers: tuple[Person, Person], join_as: JoinAs) -> None:
    lior = join_as("lior")
    lior.page.add_init_script(NO_WEBRTC)
    lior.page.goto(speakers[0].page.url)
    lior.find("join").click()
    expect(lior.find("connection")).to_contain_text("delayed by about", timeout=LONG)
    lior.until_hears(HANA)
    expect(banner(lior, "unreachable")).to_contain_text("This browser has no WebRTC, or it is turned off")
    expect(banner(lior, "unreachable").get_by_role("button")).to_have_count(0)
    assert lior.problems == []
    lior.ask_and_be_admitted(speakers[0])
    expect(banner(lior, "reconnecting")).to_contain_text("Turn it on, or try another browser.", timeout=LONG)
