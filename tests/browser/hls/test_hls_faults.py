"""Files that cannot be heard, and a browser that stops on its own: there is a way back to the sound."""

import os
import re
import signal
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import HANA
from tests.browser.hls.test_hls import JoinAs, hears_files, saver
from tests.rig.browser.person import PATIENCE_SECONDS, Person, until
from tests.rig.machine import Machine

__all__ = ["saver"]
pytestmark = [pytest.mark.browser, pytest.mark.proof]
FILES = re.compile(r"^http://[^/]+/hls/")  # and not the scripts in /static/rooms/hls/
PAUSE = 'document.getElementById("room-audio").pause()'
# Notes the moments at which our loader goes back: its element's time is the time of the Space.
RECORD = """() => {
  window.backwards = [];
  const element = document.getElementById("room-audio");
  let furthest = 0;
  setInterval(() => {
    if (!element.src || !element.buffered.length) return;
    if (element.currentTime < furthest - 0.5) window.backwards.push([furthest, element.currentTime]);
    furthest = Math.max(furthest, element.currentTime);
  }, 50);
}"""
# Files whose signature has expired, as after the websocket was lost. Returns how often the page doubts the network by
# then, after a renewal, and after it expires again.
DOUBTS = """async () => {
  const { Playback } = await import("rooms/hls/playback.js");
  const [nothing, address] = [() => {}, { open: true, cookies: false, text: async () => null }];
  let doubts = 0;
  const playback = new Playback(document.createElement("audio"), address, {
    now: () => 0, zero: () => 0, play: nothing, levels: nothing, gone: nothing, became: nothing,
    doubted: () => { doubts += 1; },
  });
  playback.start();
  const said = [];
  for (const open of [true, false, true, false]) {
    address.open = open;
    await new Promise((done) => { setTimeout(done, 2500); });
    said.push(doubts);
  }
  playback.stop();
  return said;
}"""
# A connection is dialled while the microphone is open. The microphone is closed before the TURN servers are known.
CLOSED_MEANWHILE = """async () => {
  const { Peer } = await import("rooms/sound/peer.js");
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
def test_if_the_files_cannot_be_fetched_a_connection_is_heard(
    speakers: tuple[Person, Person], saver: Callable[..., Person], how: str
) -> None:
    lior = saver(how)
    lior.page.route(FILES, lambda route: route.fulfill(status=403))
    lior.join(speakers[0].page.url)
    print(f"{how}: no file opens: hears hana over a connection after {lior.until_hears(HANA):.1f} s")
    assert not hears_files(lior)
    lior.page.unroute(FILES)
    again = until(lambda: hears_files(lior), "files, as chosen", 3 * PATIENCE_SECONDS)
    print(f"{how}: files again {again:.1f} s after they opened")
    lior.until_hears(HANA)


@pytest.mark.parametrize("how", ["native", "loader"])
def test_one_answer_that_is_no_playlist_is_asked_for_again(
    speakers: tuple[Person, Person], saver: Callable[..., Person], how: str
) -> None:
    lior, wrong = saver(how), []

    def answer(route: Route) -> None:
        wrong.append(route.request.url)
        route.fulfill(status=200, body="<p>Log in to this Wi-Fi</p>")

    lior.page.route("**/hls/**/aac.m3u8", answer, times=1)
    lior.join(speakers[0].page.url)
    print(f"{how}: hears hana after {lior.until_hears(HANA):.1f} s")
    assert len(wrong) == 1
    assert hears_files(lior)
    assert lior.problems == []


def test_if_something_else_comes_than_the_files_a_connection_is_heard(
    speakers: tuple[Person, Person], saver: Callable[..., Person]
) -> None:
    lior = saver("loader")
    lior.page.route("**/hls/**/opus.m3u8", lambda route: route.fulfill(status=200, body="<p>Log in to this Wi-Fi</p>"))
    lior.page.goto(speakers[0].page.url)
    lior.find("join").click()
    print(f"hears hana over a connection after {lior.until_hears(HANA):.1f} s")
    assert not hears_files(lior)


def test_files_that_do_not_go_on_are_heard_once_and_then_there_is_a_connection(
    speakers: tuple[Person, Person], saver: Callable[..., Person], site: Machine
) -> None:
    lior = saver("loader")
    lior.join(speakers[0].page.url)
    lior.until_hears(HANA)
    writer = site.child("rooms.media.hls")
    os.kill(writer, signal.SIGSTOP)
    try:
        lior.page.evaluate(RECORD)
        over = until(lambda: not hears_files(lior), "a connection", 3 * PATIENCE_SECONDS)
        print(
            f"a connection {over:.1f} s after the writer stood still: {lior.until_hears(HANA):.1f} s until it is heard"
        )
        assert lior.page.evaluate("window.backwards") == [], "nothing is heard twice"
    finally:
        os.kill(writer, signal.SIGCONT)


@pytest.mark.parametrize("how", ["connection", "native", "loader"])
def test_a_pause_by_the_machine_is_shown_and_ends_with_a_click(
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


def test_a_signature_that_is_not_renewed_is_a_reason_to_check_the_websocket(join_as: JoinAs) -> None:
    page: Any = join_as("lior").page
    page.goto("/")
    assert page.evaluate(DOUBTS) == [0, 1, 1, 2]
