"""A German reader far from UTC, on a small phone: language, times, and long words that have to fit."""

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, Playwright, expect

from tests.rig.browser.person import FLAGS, PATIENCE_SECONDS, Person
from tests.rig.machine import Machine

pytestmark = pytest.mark.browser
LONG = PATIENCE_SECONDS * 1000
WIDTH = 320


@pytest.fixture
def german(site: Machine, playwright: Playwright, chromium_path: str) -> Iterator[Page]:
    """lior, logged in, with a browser that speaks German and a clock of Tokyo."""
    browser = playwright.chromium.launch(executable_path=chromium_path, args=FLAGS)
    context = browser.new_context(
        base_url=f"http://localhost:{site.web}", locale="de-DE", timezone_id="Asia/Tokyo",
        viewport={"width": WIDTH, "height": 640},
    )  # fmt: skip
    page = context.new_page()
    page.goto("/accounts/login/")
    page.fill("input[name=login]", "lior")
    page.fill("input[name=password]", site.demo_password)
    page.press("input[name=password]", "Enter")
    expect(page.locator("button.me")).to_be_visible(timeout=LONG)
    yield page
    browser.close()


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth") <= WIDTH)


def test_pages_in_german_fit_a_small_phone(german: Page, join_as: Callable[..., Person]) -> None:
    hana = join_as("hana")
    path = hana.open_space("Donnerstagsgesprächsrunde über Nachbarschaftshilfe")
    hana.page.goto("/")
    for address in ["/", "/me/profile/", "/me/followers/", "/spaces/new/", "/people/hana/", path]:
        german.goto(address)
        assert fits(german), address
        right = german.evaluate(
            "Math.max(...[...document.querySelectorAll('main *')].map((e) => e.getBoundingClientRect().right))"
        )
        assert right <= WIDTH + 1, address
    german.get_by_test_id("join").click()
    expect(german.get_by_test_id("ask")).to_have_text(re.compile("Hand heben"), timeout=LONG)
    assert fits(german)


def test_times_are_those_of_the_reader_and_the_switch_changes_them(german: Page, site: Machine) -> None:
    german.goto("/me/tokens/new/")
    german.fill("input[name=password]", site.demo_password)
    german.press("input[name=password]", "Enter")
    german.fill("input[name=name]", "Wecker")
    german.locator("main form button").click()
    expect(german.locator("main code")).to_be_visible(timeout=LONG)
    german.goto("/me/tokens/")
    moment = german.locator("main time")
    ends = datetime.fromisoformat(moment.get_attribute("datetime") or "").astimezone(ZoneInfo("Asia/Tokyo"))
    expect(moment).to_have_text(re.compile(f"^{ends.day}\\. .* {ends.year} um {ends:%H:%M}$"))
    german.goto("/me/profile/")
    german.locator("main form button[name=language]").click()
    expect(german.locator("h1")).to_have_text("Settings", timeout=LONG)
    german.goto("/me/tokens/")
    expect(moment).to_have_text(re.compile(f"^[A-Z][a-z]+ {ends.day}, {ends.year} at "))
