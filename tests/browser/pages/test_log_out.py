"""Back after a log-out shows no page of the member, the next log-in works, and the pages of sessions are accessible."""

import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, Playwright, expect

from tests.browser.pages.test_pages import NONE, faults_by_scheme, width_of_content
from tests.rig.browser.person import FLAGS, PATIENCE_SECONDS, Person
from tests.rig.machine import Machine

pytestmark = [pytest.mark.browser, pytest.mark.proof]
LONG = PATIENCE_SECONDS * 1000
LIMIT_SECONDS = 3.0  # a log-out that clears the browser took below one on a machine with nothing else to do


@pytest.fixture
def page(site: Machine, playwright: Playwright, chromium_path: str) -> Iterator[Page]:
    """A page of a Chromium that keeps pages for the button Back, as members have it."""
    site.forget_budgets()
    kept = ["--disable-back-forward-cache"]
    browser = playwright.chromium.launch(executable_path=chromium_path, args=FLAGS, ignore_default_args=kept)
    yield browser.new_context(base_url=site.address, locale="en-GB").new_page()
    browser.close()


def log_in(page: Page, password: str) -> None:
    page.goto("/accounts/login/")
    page.fill("input[name=login]", "lior")
    page.fill("input[name=password]", password)
    page.press("input[name=password]", "Enter")
    expect(page.locator("button.me")).to_be_visible(timeout=LONG)


def test_back_shows_nothing_and_the_next_log_in_works(site: Machine, page: Page) -> None:
    log_in(page, site.demo_password)
    page.goto("/me/sessions/")
    page.evaluate("localStorage.setItem('spaces:choice', 'x')")
    page.locator("button.me").click()
    start = time.monotonic()
    page.get_by_role("button", name="Log out", exact=True).locator("visible=true").last.click()
    expect(page.locator("button.me")).to_have_count(0, timeout=LONG)
    took = time.monotonic() - start
    print(f"logged out after {took:.2f} s")
    assert took < LIMIT_SECONDS
    assert page.evaluate("localStorage.getItem('spaces:choice')") is None
    page.go_back()
    expect(page.locator("input[name=password]")).to_be_visible(timeout=LONG)
    expect(page.get_by_text("This device.")).to_have_count(0)
    start = time.monotonic()
    log_in(page, site.demo_password)
    print(f"logged in again after {time.monotonic() - start:.2f} s")


def test_the_pages_of_sessions_and_tokens_are_accessible_and_fit_a_small_phone(join_as: Callable[..., Person]) -> None:
    lior = join_as("lior", width=320, height=640)
    for address in ("/me/sessions/", "/me/sessions/end/", "/me/tokens/"):
        lior.page.goto(address)
        assert width_of_content(lior.page) <= 320, address
        assert faults_by_scheme(lior.page) == NONE, address
    lior.page.goto("/me/tokens/new/")
    lior.page.fill("input[name=password]", lior.site.demo_password)
    lior.page.press("input[name=password]", "Enter")
    lior.page.wait_for_url("**/me/tokens/new/")
    lior.page.fill("input[name=name]", "A program with a rather long name, so it breaks")
    assert width_of_content(lior.page) <= 320
    assert faults_by_scheme(lior.page) == NONE
    lior.page.press("input[name=name]", "Enter")
    expect(lior.page.locator("#main code")).to_contain_text("spaces_", timeout=LONG)
    assert width_of_content(lior.page) <= 320
    assert faults_by_scheme(lior.page) == NONE
    lior.page.goto("/me/tokens/")
    assert width_of_content(lior.page) <= 320
    assert faults_by_scheme(lior.page) == NONE
