"""Pages and frame in a real browser, as far as no sound is needed: navigation, dock, keys, width, accessibility."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.rig.browser.person import PATIENCE_SECONDS, Person

pytestmark = pytest.mark.browser
JoinAs = Callable[..., Person]
LONG = PATIENCE_SECONDS * 1000
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


def faults(page: Page) -> list[str]:
    """What axe finds wrong with the page as it stands."""
    found = Axe().run(page, options=RULES).response["violations"]
    return [f"{one['id']}: {node['target']}" for one in found for node in one["nodes"]]


def width_of_content(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth"))


@pytest.fixture
def hana(join_as: JoinAs) -> Person:
    return join_as("hana")


@pytest.fixture
def lior(join_as: JoinAs) -> Person:
    return join_as("lior")


def test_navigation_swaps_main_only(hana: Person, lior: Person) -> None:
    path = hana.open_space("Swapped")
    hana.join(path)
    lior.join(path)
    lior.page.evaluate("window.sameDocument = document.getElementById('room-audio')")
    dock = lior.page.locator("#dock")
    expect(dock).to_be_hidden()
    lior.page.locator("header .logo").click()
    expect(dock).to_be_visible()
    expect(dock).to_contain_text("Swapped")
    expect(dock).to_contain_text("1 listening", timeout=LONG)
    assert lior.page.title() == "Spaces"
    assert lior.page.evaluate("document.activeElement.tagName") == "H1"
    lior.page.go_back()
    expect(lior.find("stage-person")).to_be_visible()
    lior.page.go_forward()
    expect(dock).to_be_visible()
    dock.locator("a").click()
    expect(lior.find("stage-person")).to_be_visible()
    expect(dock).to_be_hidden()
    same = "window.sameDocument === document.getElementById('room-audio') && !window.sameDocument.paused"
    assert lior.page.evaluate(same), "the sound was interrupted"
    lior.find("leave").click()
    expect(lior.find("join")).to_be_visible()
    assert hana.problems + lior.problems == []


def test_a_page_that_is_not_there_keeps_the_frame(hana: Person, lior: Person, join_as: JoinAs) -> None:
    path = hana.open_space("For followers")
    dee = join_as("dee")
    answer = dee.page.goto(path)
    assert answer is not None
    assert answer.status == 404
    expect(dee.page.get_by_role("heading", name="Page not found")).to_be_visible()
    expect(dee.page.locator("header .logo")).to_be_visible()


def test_a_form_comes_back_with_its_mistakes_and_obeys_the_policy(hana: Person) -> None:
    page = hana.page
    page.goto("/spaces/new/")
    page.get_by_label("People I name").check()
    about = page.locator("textarea[name=description]")
    about.evaluate("(field) => { field.style.height = '200px'; }")  # as by its corner
    page.fill("input[name=title]", "No one named")
    page.get_by_role("button", name="Go live").click()
    expect(page.locator(".errorlist").first).to_contain_text("Name at least one person")
    expect(page.locator("[aria-invalid=true]")).to_be_focused()
    assert [text for text in hana.problems if "Content Security Policy" in text] == []


def test_the_fleet_line_follows_without_reload(hana: Person, lior: Person) -> None:
    lior.page.goto("/")
    fleet = lior.page.locator("#fleet")
    expect(fleet.get_by_role("link")).to_have_count(0)
    hana.open_space("Seen by all")
    expect(fleet.get_by_role("link")).to_contain_text("live", timeout=LONG)
    card = lior.page.locator("#live-now").get_by_role("link")
    expect(card).to_contain_text("Seen by all", timeout=LONG)
    card.click()
    expect(lior.find("join")).to_be_visible()
    hana.find("join").click()
    hana.find("end").click()
    hana.find("confirm").click()
    expect(fleet.get_by_role("link")).to_have_count(0, timeout=LONG)
    expect(lior.page.get_by_role("heading", name="Page not found")).to_be_visible(timeout=LONG)


def test_asking_shows_the_place_in_line_and_can_be_taken_back(hana: Person, lior: Person) -> None:
    path = hana.open_space("In line")
    hana.join(path)
    lior.join(path)
    lior.page.get_by_label("What would you like to speak about").fill("a question on <b>trees</b>")
    lior.find("ask").click()
    expect(lior.page.locator(".bar-status")).to_contain_text("Hand up: number 1 in line")
    expect(hana.page.locator(".request")).to_contain_text("a question on <b>trees</b>")
    expect(hana.page.locator("#announcer")).to_have_text("Lior Katz asks to speak.")
    lior.page.keyboard.press("h")
    expect(hana.page.locator(".request")).to_have_count(0)
    lior.find("ask").click()
    hana.find("decline").click()
    expect(lior.page.locator("#toasts")).to_contain_text("The host declined your request to speak.")
    expect(lior.find("ask")).to_contain_text("Ask to speak")
    expect(lior.find("admit")).to_have_count(0)
    expect(lior.find("end")).to_be_hidden()


def test_a_second_tab_takes_over(hana: Person) -> None:
    path = hana.open_space("Twice")
    hana.join(path)
    second = hana.page.context.new_page()
    second.goto(path)
    second.get_by_test_id("join").click()
    expect(hana.find("screen-taken-over")).to_be_visible(timeout=LONG)
    expect(second.get_by_test_id("stage-person")).to_be_visible()
    hana.page.get_by_role("button", name="Continue here").click()
    expect(second.get_by_test_id("screen-taken-over")).to_be_visible(timeout=LONG)


def test_keys_menus_and_their_focus(hana: Person) -> None:
    hana.join(hana.open_space("No mouse"))
    page = hana.page
    page.keyboard.press("?")
    expect(page.get_by_role("heading", name="Keyboard")).to_be_visible()
    page.keyboard.press("Escape")
    face = hana.on_stage("hana")
    face.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="View profile")).to_be_focused()
    page.keyboard.press("Escape")
    expect(face).to_be_focused()
    page.keyboard.press("r")
    expect(page.get_by_role("button", name="heart")).to_be_focused()
    page.keyboard.press("Escape")
    hana.find("end").click()
    expect(page.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Enter")
    expect(hana.on_stage("hana")).to_be_visible()


def test_the_focus_stays_beside_what_goes_away(hana: Person, lior: Person) -> None:
    path = hana.open_space("By keyboard")
    hana.page.goto(path)
    hana.find("join").press("Enter")
    hana.until_connected()
    expect(hana.page.get_by_role("heading", name="By keyboard")).to_be_focused()
    lior.join(path)
    lior.find("ask").press("Enter")
    hana.find("admit").press("Enter")
    expect(lior.find("mic")).to_be_focused()
    expect(hana.page.get_by_role("heading", name="By keyboard")).to_be_focused()
    hana.choose("lior", "move")
    expect(hana.on_stage("hana")).to_be_focused()
    hana.listening("lior").press("Enter")
    hana.find("menu-remove").press("Enter")
    hana.find("confirm").press("Enter")
    expect(hana.page.get_by_role("heading", name="By keyboard")).to_be_focused()
    hana.find("end").press("Enter")
    hana.find("confirm").press("Enter")
    expect(hana.page.get_by_role("heading", name="This Space has ended")).to_be_focused()
    assert hana.problems + lior.problems == []


def test_the_notice_comes_once_and_says_how_long_sound_is_kept(hana: Person) -> None:
    hana.join(hana.open_space("Notice"))
    hana.page.keyboard.press("m")
    dialog = hana.page.get_by_role("dialog", name="Before you unmute")
    expect(dialog).to_contain_text("kept for up to 30 days")
    dialog.get_by_role("button", name="Not now").click()
    expect(hana.find("mic")).to_have_attribute("data-state", "closed")
    hana.find("mic").click()
    hana.find("notice-accept").click()
    expect(hana.find("mic")).to_have_attribute("data-state", "open", timeout=LONG)
    hana.page.keyboard.press("m")
    expect(hana.find("mic")).to_have_attribute("data-state", "closed", timeout=LONG)
    hana.page.keyboard.press("m")
    expect(hana.find("mic")).to_have_attribute("data-state", "open", timeout=LONG)
    expect(dialog).to_be_hidden()
    hana.find("mic").dblclick()
    expect(hana.find("mic")).to_have_attribute("data-state", "closed", timeout=LONG)
    assert hana.problems == []


def test_reactions_rise_and_stand_still_if_motion_is_unwanted(hana: Person, lior: Person) -> None:
    path = hana.open_space("Hearts")
    hana.page.emulate_media(reduced_motion="no-preference")
    hana.join(path)
    lior.join(path)
    hana.find("reactions").click()
    heart = hana.page.get_by_role("button", name="heart")
    heart.click()
    expect(hana.page.locator("#lane .rising").first).to_be_attached(timeout=LONG)
    heart.click()
    expect(lior.page.locator("#lane .counted")).to_contain_text("❤️", timeout=LONG)
    expect(lior.page.locator("#lane .rising")).to_have_count(0)


def test_the_end_has_a_page_of_its_own(hana: Person, lior: Person) -> None:
    path = hana.open_space("Over soon")
    hana.join(path)
    lior.join(path)
    hana.find("end").click()
    hana.find("confirm").click()
    for one in (hana, lior):
        expect(one.find("ended")).to_be_visible(timeout=LONG)
        expect(one.find("ended")).to_contain_text("kept for up to 30 days")
    expect(lior.page.get_by_role("button", name="Unfollow Hana Mori")).to_be_visible()
    assert lior.page.evaluate("document.getElementById('room-audio').srcObject === null")


def test_every_page_is_accessible_and_fits_a_small_phone(join_as: JoinAs) -> None:
    hana, lior = join_as("hana"), join_as("lior", width=320, height=640)
    path = hana.open_space("A rather long title, so that it has to break on a small phone")
    for address in ("/", "/spaces/new/", "/search/?q=a", path, "/nothing/"):
        lior.page.goto(address)
        assert width_of_content(lior.page) <= 320, address
        assert faults_by_scheme(lior.page) == NONE, address
    hana.join(path)
    lior.join(path)
    lior.find("ask").click()
    expect(hana.find("admit")).to_be_visible(timeout=LONG)
    assert width_of_content(lior.page) <= 320
    assert faults_by_scheme(lior.page) == NONE
    assert faults_by_scheme(hana.page) == NONE
    hana.on_stage("hana").click()
    assert faults_by_scheme(hana.page) == NONE
    hana.page.keyboard.press("Escape")
    hana.find("mic").click()
    expect(hana.find("notice-accept")).to_be_enabled(timeout=LONG)
    assert faults_by_scheme(hana.page) == NONE


NONE: dict[str, list[str]] = {"light": [], "dark": []}


def faults_by_scheme(page: Page) -> dict[str, list[str]]:
    """What axe finds in light and in dark, without motion."""
    found = {}
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found[scheme] = faults(page)
    return found
