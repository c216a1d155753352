"""The sound as files (HLS) in a real Chromium: by its own player, and by our loader where it has none."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import HANA, SOL
from tests.browser.person import PATIENCE_SECONDS, Person

pytestmark = pytest.mark.browser
JoinAs = Callable[..., Person]
LONG = PATIENCE_SECONDS * 1000
# As a browser that cannot play HLS by itself.
NO_PLAYER = """const able = HTMLMediaElement.prototype.canPlayType;
HTMLMediaElement.prototype.canPlayType = function (kind) {
  return /mpegurl/i.test(kind) ? "" : able.call(this, kind);
};"""
SAVER = 'localStorage.setItem("spaces:data-saver", "yes")'
SOURCE = 'document.getElementById("room-audio").src'


def use_files(listener: Person, how: str) -> None:
    """Choose the data saver before a page is loaded, with the browser's own player or without it."""
    listener.page.add_init_script(SAVER + (";" + NO_PLAYER if how == "loader" else ""))


@pytest.mark.parametrize("how", ["native", "loader"])
def test_who_saves_data_hears_the_space_as_files(speakers: tuple[Person, Person], join_as: JoinAs, how: str) -> None:
    lior = join_as("lior")
    use_files(lior, how)
    lior.page.goto(speakers[0].page.url)
    print(lior.page.evaluate('document.createElement("audio").canPlayType("application/vnd.apple.mpegurl")'))
    lior.find("join").click()
    print(f"{how}: hears hana after {lior.until_hears(HANA):.2f} s")
    print(f"{how}: hears sol after {lior.until_hears(SOL):.2f} s")
    source = lior.page.evaluate(SOURCE)
    print(source, lior.find("connection").inner_text())
    lior.page.wait_for_timeout(25000)
    print(lior.page.evaluate(SOURCE), lior.find("connection").inner_text())
    assert lior.keeps_hearing(HANA)
    assert source == lior.page.evaluate(SOURCE)
    expect(lior.find("connection")).to_contain_text("delayed by")
    assert lior.problems == []
