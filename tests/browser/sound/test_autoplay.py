"""A browser that plays no sound before a click: the page asks for one."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Playwright, expect

from tests.rig.browser.person import PATIENCE_SECONDS, Person
from tests.rig.machine import Machine

pytestmark = pytest.mark.browser
HANA = 480  # Hz
# A script in the page enters and reports the banner: what a test does to a page counts as a click.
ENTER = """addEventListener("load", () => {
  const watch = new MutationObserver(() => document.querySelector("[data-banner=blocked]") && console.log("blocked"));
  watch.observe(document.body, { subtree: true, childList: true });
  document.querySelector("[data-part=join]")?.click();
})"""


@pytest.fixture
def strict(playwright: Playwright, chromium_path: str, site: Machine) -> Iterator[Person]:
    """lior, in a browser that wants a click."""
    flags = ["--autoplay-policy=user-gesture-required"]
    person = Person(playwright, chromium_path, site, "lior", None, flags=flags)
    person.new_page()
    yield person
    person.close()


def test_the_sound_is_turned_on_by_a_click(strict: Person, join_as: Callable[..., Person]) -> None:
    hana = join_as("hana", tone=HANA)
    path = hana.open_space()
    hana.join(path)
    hana.open_microphone()
    strict.page.add_init_script(ENTER)
    with strict.page.expect_console_message(lambda said: said.text == "blocked", timeout=PATIENCE_SECONDS * 1000):
        strict.page.goto(path)
    banner = strict.page.locator("[data-banner=blocked]")
    expect(banner).to_contain_text("Your browser needs a click")
    assert strict.page.evaluate("document.getElementById('room-audio').paused")
    banner.get_by_role("button", name="Turn the sound on").click()
    expect(banner).to_have_count(0)
    assert not strict.page.evaluate("document.getElementById('room-audio').paused")
    strict.until_hears(HANA)
    assert strict.problems == []
