"""The dialogue with devices and level: while one speaks, and while one does not."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, expect

from tests.rig.browser.person import PATIENCE_SECONDS, Person, until

pytestmark = pytest.mark.browser
JoinAs = Callable[..., Person]
HANA = 480  # Hz
LONG = PATIENCE_SECONDS * 1000
NOTE_TRACKS = """
  const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  window.tracks = [];
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    const stream = await real(wanted);
    window.tracks.push(...stream.getTracks());
    return stream;
  };
"""


@pytest.fixture
def hana(join_as: JoinAs) -> Iterator[Person]:
    """In her Space, microphone closed, and watched."""
    one = join_as("hana", tone=HANA)
    one.page.add_init_script(NOTE_TRACKS)
    one.join(one.open_space())
    yield one
    assert one.problems == []


def settings(person: Person) -> Locator:
    """The dialogue, opened from the menu."""
    person.page.get_by_role("button", name="More").click()
    person.page.get_by_role("button", name="Microphone settings").click()
    dialog = person.page.get_by_role("dialog", name="Microphone settings")
    expect(dialog.locator("option").nth(1)).to_be_attached(timeout=LONG)
    return dialog


def open_tracks(person: Person) -> int:
    return int(person.page.evaluate("window.tracks.filter((track) => track.readyState === 'live').length"))


def test_a_speaker_is_heard_through_a_new_device_at_once(hana: Person, join_as: JoinAs) -> None:
    hana.open_microphone()
    lior = join_as("lior")
    lior.join(hana.page.url)
    lior.until_hears(HANA)
    dialog = settings(hana)
    devices = dialog.get_by_label("Microphone")
    before = devices.input_value()
    for wanted, opened in ((1, 2), (0, 3)):
        devices.select_option(index=wanted)
        hana.page.wait_for_function("(opened) => window.tracks.length === opened", arg=opened)
        assert lior.keeps_hearing(HANA), f"silent through device {wanted}"
        assert open_tracks(hana) == 1
    assert devices.input_value() == before
    dialog.get_by_role("button", name="Done").click()
    assert lior.keeps_hearing(HANA), "silent once the dialogue is closed"
    assert open_tracks(hana) == 1
    expect(hana.find("mic")).to_have_attribute("data-state", "open")


def test_a_closed_microphone_is_tried_out_and_closed_again(hana: Person, join_as: JoinAs) -> None:
    dialog = settings(hana)
    meter = dialog.locator(".meter")
    until(lambda: float(meter.evaluate("(bar) => bar.style.getPropertyValue('--level')") or 0) > 0.2, "the level")
    lior = join_as("lior")
    lior.join(hana.page.url)  # a frame comes meanwhile
    expect(hana.page.locator("[data-part=listening]").first).to_contain_text("1 listening", timeout=LONG)
    assert open_tracks(hana) == 1
    dialog.get_by_role("button", name="Done").click()
    until(lambda: open_tracks(hana) == 0, "the microphone is closed")
    assert not lior.hears_within(HANA, 1)
    expect(hana.find("mic")).to_have_attribute("data-state", "closed")
