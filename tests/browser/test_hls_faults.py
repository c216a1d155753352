"""Files that cannot be heard, and a browser that stops by itself: there is a way back to the sound."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import HANA
from tests.browser.person import PATIENCE_SECONDS, Person, until
from tests.browser.test_hls import JoinAs, _nothing_is_chosen, hears_files, saver

__all__ = ["_nothing_is_chosen", "saver"]
pytestmark = [pytest.mark.browser, pytest.mark.proof]
FILES = "**/hls/**"
PAUSE = 'document.getElementById("room-audio").pause()'
# A connection is dialled while the microphone is open; it is closed before the TURN servers are known.
CLOSED_MEANWHILE = """async () => {
  const { Peer } = await import("rooms/peer.js");
  const sent = [];
  RTCRtpSender.prototype.replaceTrack = async (track) => { sent.push(track); };
  let track = new AudioContext().createMediaStreamDestination().stream.getAudioTracks()[0];
  let known = null;
  const nothing = () => {};
  const servers = () => new Promise((done) => { known = done; });
  const peer = new Peer({ heard: nothing, unsteady: nothing, failed: nothing, servers });
  const dialled = peer.dial(() => track, () => Promise.reject(new Error("far enough"))).catch(nothing);
  track = null;
  known([]);
  await dialled;
  peer.close();
  return sent.filter(Boolean).length;
}"""


@pytest.mark.parametrize("how", ["native", "loader"])
def test_whoever_cannot_fetch_the_files_hears_over_a_connection(
    speakers: tuple[Person, Person], saver: Callable[..., Person], how: str
) -> None:
    lior = saver(how)
    lior.page.route(FILES, lambda route: route.fulfill(status=403))
    lior.join(speakers[0].page.url)
    print(f"{how}: no file opens: hears hana over a connection after {lior.until_hears(HANA):.1f} s")
    assert not hears_files(lior)
    lior.page.unroute(FILES)
    again = until(lambda: hears_files(lior), "files, as he chose", 3 * PATIENCE_SECONDS)
    print(f"{how}: files again {again:.1f} s after they opened")
    lior.until_hears(HANA)


@pytest.mark.parametrize("how", ["connection", "native", "loader"])
def test_a_pause_by_the_machine_is_told_and_ends_with_a_click(
    speakers: tuple[Person, Person], saver: Callable[..., Person], join_as: JoinAs, how: str
) -> None:
    lior = join_as("lior") if how == "connection" else saver(how)
    lior.join(speakers[0].page.url)
    lior.until_hears(HANA)
    expect(lior.page.locator("[data-banner=blocked]")).to_have_count(0)
    lior.page.evaluate(PAUSE)
    banner = lior.page.locator("[data-banner=blocked]")
    expect(banner).to_be_visible()
    expect(lior.page.locator("[data-bar=status]")).to_have_text("The sound is off")
    banner.get_by_role("button").click()
    expect(banner).to_have_count(0)
    print(f"{how}: hears hana {lior.until_hears(HANA):.2f} s after the click")


def test_a_microphone_that_is_closed_amid_a_dial_is_not_sent(join_as: JoinAs) -> None:
    page: Any = join_as("lior").page
    page.goto("/")
    assert page.evaluate(CLOSED_MEANWHILE) == 0
