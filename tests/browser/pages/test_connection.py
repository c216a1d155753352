"""The sign that says how one's connection is, from what the media node and Chromium report to each other."""

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import HANA
from tests.rig.browser.person import PATIENCE_SECONDS, Person, until

pytestmark = pytest.mark.browser
LONG = PATIENCE_SECONDS * 1000

# Keeps the page's sockets and connections so that a test finds them.
KEEP = """window.sockets = [];
window.WebSocket = class extends WebSocket {
  constructor(...options) { super(...options); window.sockets.push(this); }
};
window.connections = parent.connections ?? [];
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...options) { super(...options); window.connections.push(this); }
};"""
REPORTED = """async () => {
  const stats = [...(await window.connections.at(-1).getStats()).values()];
  return stats.find((one) => one.type === "remote-inbound-rtp") ?? {};
}"""
TELL = "(text) => window.sockets.filter((one) => one.url.includes('spaces')).at(-1).onmessage({ data: text })"


@pytest.fixture
def hana(join_as: Callable[..., Person]) -> Person:
    """hana, in a Space that she hosts."""
    hana = join_as("hana", tone=HANA)
    hana.page.add_init_script(KEEP)
    hana.join(hana.open_space())
    return hana


def tell(person: Person, quality: str, why: str = "", way: str = "", arrives: bool = True) -> None:
    """Send the page a `connection` frame."""
    frame = {"type": "connection", "quality": quality, "why": why, "way": way, "arrives": arrives}
    person.page.evaluate(TELL, json.dumps(frame))


def test_the_node_says_that_a_connection_is_good_and_chromium_hears_how_its_sound_arrives(hana: Person) -> None:
    hana.open_microphone()
    expect(hana.find("connection")).to_have_text("connection: good", timeout=LONG)
    until(lambda: "roundTripTime" in hana.page.evaluate(REPORTED), "reports from the node")
    reported = hana.page.evaluate(REPORTED)
    print(reported)
    assert reported["fractionLost"] == 0
    assert 0 <= reported["roundTripTime"] < 1.0
    assert reported["jitter"] < 0.1
    assert hana.problems == []


def test_a_poor_connection_is_shown_in_words_with_advice(hana: Person) -> None:
    sign, banner = hana.find("connection"), hana.page.locator("[data-banner=poor]")
    tell(hana, "fair", "jitter", "in")
    expect(sign).to_have_text("connection: fair")
    expect(banner).to_have_count(0)
    tell(hana, "poor", "loss", "in")
    expect(sign).to_have_text("connection: poor")
    expect(banner).to_have_text(
        "Your network loses sound: words may be missing. Move closer to the router, or try another network."
    )
    expect(hana.page.locator("#announcer")).to_have_text("Your connection is poor.")
    tell(hana, "poor", "loss", "out")
    expect(banner).to_contain_text("others hear you with gaps")
    tell(hana, "good")
    expect(sign).to_have_text("connection: good")
    expect(banner).to_have_count(0)
    expect(hana.page.locator("#announcer")).to_have_text("Your connection has improved.")
    assert hana.problems == []
