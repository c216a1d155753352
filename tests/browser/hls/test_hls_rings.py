"""The rings around people who speak, for listeners to files: in time with what they hear."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from rooms.media.hls.playlist import Playlist, Segment
from tests.browser.conftest import HANA
from tests.browser.hls.test_hls import hears_files, page, saver
from tests.rig.browser.hearing import AUDIBLE_DECIBELS, HERTZ_PER_BIN, LISTEN, PATIENCE_SECONDS, until
from tests.rig.browser.person import Person

__all__ = ["page", "saver"]
pytestmark = pytest.mark.browser
LONG = PATIENCE_SECONDS * 1000
MOST_APART = 0.8  # seconds between ring and sound: levels are of 200 ms, and both are looked at on a busy machine
TURNS = 3
PAUSE_SECONDS = 2.5
BIN = round(HANA / HERTZ_PER_BIN)
# Notes every 40 ms: the moment, whether hana has a ring, and how loud her frequency is.
WATCH = f"""([handle, first, last]) => {{
  const listen = {LISTEN};
  const face = document.querySelector(`[data-testid=stage-person][data-handle=${{handle}}]`);
  window.testRings = [];
  setInterval(() => {{
    const loud = Math.max(...(listen() ?? [-200]).slice(first, last).map((one) => one ?? -200));
    window.testRings.push([performance.now() / 1000, face.classList.contains("speaking"), loud]);
  }}, 40);
}}"""
LEVELS = """async ([text, moments]) => {
  const { parse } = await import("rooms/hls/playlist.js");
  const { levelsAt } = await import("rooms/hls/rings.js");
  return moments.map((at) => levelsAt(parse(text).segments, at));
}"""
MERGED = """async ([before, segments]) => {
  const { merged } = await import("rooms/hls/rings.js");
  return merged(before, segments).map(({ number }) => number);
}"""
# The browser's own player has buffered up to each of `ends` in turn. Returns what it is believed to play each time.
NATIVE = """async ([text, ends, start]) => {
  const { NativePlayer } = await import("rooms/hls/native_player.js");
  let end = 0;
  const buffered = { get length() { return end ? 1 : 0; }, end: () => end };
  const element = { currentTime: 1, buffered };
  const address = { own: (name) => name, text: async () => text };
  const native = new NativePlayer(element, address, { begun() {}, read() {} });
  await native.start();
  const heard = [native.heard];
  for (end of ends) {
    while (native.heard === heard.at(-1)) await new Promise((done) => { setTimeout(done, 50); });
    heard.push(native.heard);
  }
  element.getStartDate = () => new Date(start);
  heard.push(native.heard);
  native.stop();
  return heard;
}"""
PLAYLIST = """#EXTM3U
#EXT-X-MEDIA-SEQUENCE:40
#EXT-X-SPACES-LEVELS:hana=0063,sol=4000
#EXT-X-PROGRAM-DATE-TIME:2026-09-21T14:13:20.000Z
#EXTINF:0.4,
one.m4s
#EXT-X-PROGRAM-DATE-TIME:2026-09-21T14:13:20.400Z
#EXTINF:0.4,
two.m4s
"""
START = 1_790_000_000_000


def begins(moments: list[tuple[float, bool]], pause: float = 1.0) -> list[float]:
    """The moments at which something began, after a pause of at least `pause` seconds."""
    there = [at for at, is_there in moments if is_there]
    return [later for at, later in itertools.pairwise(there) if later - at > pause]


def ends(moments: list[tuple[float, bool]], pause: float = 1.0) -> list[float]:
    """The moments at which something ended, before a pause of at least `pause` seconds."""
    there = [at for at, is_there in moments if is_there]
    return [at for at, later in itertools.pairwise(there) if later - at > pause]


def ringing(lior: Person) -> list[tuple[float, bool]]:
    return [(at, ring) for at, ring, _ in lior.page.evaluate("window.testRings")]


def sounding(lior: Person) -> list[tuple[float, bool]]:
    return [(at, loud > AUDIBLE_DECIBELS) for at, _, loud in lior.page.evaluate("window.testRings")]


@pytest.mark.proof
@pytest.mark.parametrize("how", ["native", "loader"])
def test_a_ring_comes_and_goes_with_the_sound(
    speakers: tuple[Person, Person], saver: Callable[..., Person], how: str
) -> None:
    hana, _ = speakers
    lior = saver(how)
    lior.join(hana.page.url)
    lior.until_hears(HANA)
    expect(lior.on_stage("hana")).to_contain_text("speaking", timeout=LONG)
    lior.page.wait_for_timeout(8000)  # the place in the player of the browser's own is measured more than once
    lior.page.evaluate(WATCH, ["hana", BIN - 2, BIN + 3])
    for _ in range(TURNS):
        for shows in (expect(hana.on_stage("hana")).to_contain_text, expect(hana.on_stage("hana")).not_to_contain_text):
            hana.page.keyboard.press("m")
            shows("muted", timeout=LONG)
            hana.page.wait_for_timeout(PAUSE_SECONDS * 1000)
    until(lambda: min(len(begins(ringing(lior))), len(begins(sounding(lior)))) >= TURNS, "all of it was heard")
    for edge in (begins, ends):
        sound = edge(sounding(lior))
        apart = [min((ring - one for one in sound), key=abs) for ring in edge(ringing(lior))]
        print(f"{how}: a ring {edge.__name__} {', '.join(f'{one:+.2f}' for one in apart)} s after the sound")
        assert sum(abs(one) < MOST_APART for one in apart) >= TURNS
    assert hears_files(lior)
    assert lior.problems == []


# The modules rings.js and playlist.js alone
def test_levels_are_shown_when_their_sound_is_heard(page: Any) -> None:
    moments = {-1: {}, 0: {"sol": 40}, 199: {"sol": 40}, 250: {"hana": 63}, 399: {"hana": 63}, 450: {}, 900: {}}
    levels = page.evaluate(LEVELS, [PLAYLIST, [START + at for at in moments]])
    assert levels == list(moments.values())


def test_what_a_playlist_does_not_name_any_more_may_still_be_heard(page: Any) -> None:
    older, newer = [[{"number": number} for number in range(first, first + 6)] for first in (40, 43)]
    assert page.evaluate(MERGED, [[], older]) == list(range(40, 46))
    assert page.evaluate(MERGED, [older, newer]) == list(range(40, 49))
    assert page.evaluate(MERGED, [older, []]) == list(range(40, 46))


def test_the_place_in_the_browsers_own_player_is_measured_unless_the_player_knows_it(page: Any) -> None:
    made = Playlist(40)
    for number in range(4):
        made.add(Segment(f"{number}.m4s", "init.mp4", 2.0, START / 1000 + 2 * number))
    ends = [6.0, 8.0]  # a segment behind the playlist, then up to date
    heard = page.evaluate(NATIVE, [made.text(), ends, START + 500])
    assert heard[0] is None
    assert [at - START / 1000 for at in heard[1:]] == [3.0, 1.0, 1.5]
