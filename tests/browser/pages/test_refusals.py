"""What a browser may refuse: site storage, the meter, the microphone, Latin letters. The rest of the page works."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.rig.browser.person import PATIENCE_SECONDS, Person

pytestmark = [pytest.mark.browser, pytest.mark.proof]
JoinAs = Callable[..., Person]
HANA = 480  # Hz
LONG = PATIENCE_SECONDS * 1000

NO_STORAGE = """Object.defineProperty(window, "localStorage", {
  get() { throw new DOMException("denied", "SecurityError"); } });"""
NULL_STORAGE = 'Object.defineProperty(window, "localStorage", { get: () => null });'
NO_METER = """AudioContext.prototype.createMediaStreamSource = () => {
  throw new DOMException("different sample-rate", "NotSupportedError"); };"""
NO_DEVICES = 'Object.defineProperty(Navigator.prototype, "mediaDevices", { get: () => undefined });'
PLAIN = 'Object.defineProperty(window, "isSecureContext", { get: () => false });'
PRESS = """([code, key]) => document.body.dispatchEvent(
  new KeyboardEvent("keydown", { code, key, bubbles: true, cancelable: true }))"""


@pytest.mark.parametrize("refusal", [NO_STORAGE, NULL_STORAGE], ids=["throws", "null"])
def test_without_site_storage_one_hosts_and_hears(join_as: JoinAs, refusal: str) -> None:
    hana = join_as("hana", tone=HANA)
    hana.page.add_init_script(refusal)
    hana.join(hana.open_space())
    hana.open_microphone()
    lior = join_as("lior")
    lior.page.add_init_script(refusal)
    lior.join(hana.page.url)
    lior.until_hears(HANA)
    hana.page.get_by_role("button", name="More").click()
    hana.page.get_by_role("button", name="Microphone settings").click()
    dialog = hana.page.get_by_role("dialog", name="Microphone settings")
    dialog.get_by_role("checkbox").uncheck()
    assert hana.problems == lior.problems == []


def test_a_meter_that_fails_does_not_cost_the_microphone(join_as: JoinAs) -> None:
    hana = join_as("hana", tone=HANA)
    hana.page.add_init_script(NO_METER)
    hana.join(hana.open_space())
    hana.open_microphone()
    lior = join_as("lior")
    lior.join(hana.page.url)
    lior.until_hears(HANA)


@pytest.mark.parametrize(
    ("states", "said"),
    [
        (NO_DEVICES, "This browser has no microphone for pages. Try another browser."),
        (NO_DEVICES + PLAIN, "Open Spaces at its https:// address."),
    ],
    ids=["secure", "plain"],
)
def test_a_page_without_devices_names_the_cause(join_as: JoinAs, states: str, said: str) -> None:
    hana = join_as("hana")
    hana.page.add_init_script(states)
    hana.join(hana.open_space())
    hana.page.get_by_role("button", name="More").click()
    hana.page.get_by_role("button", name="Microphone settings").click()
    expect(hana.page.get_by_role("dialog", name="Microphone settings")).to_contain_text(said, timeout=LONG)


def test_keys_work_by_place_on_layouts_without_latin_letters(join_as: JoinAs) -> None:
    hana = join_as("hana")
    hana.join(hana.open_space())
    picker = hana.page.locator("#reaction-picker")
    hana.page.evaluate(PRESS, ["KeyH", "r"])  # a Latin layout with the letter elsewhere: the letter counts
    expect(picker).to_be_visible()
    hana.page.evaluate(PRESS, ["KeyR", "к"])
    expect(picker).to_be_hidden()
    hana.page.evaluate(PRESS, ["KeyR", "é"])
    expect(picker).to_be_hidden()
    hana.page.evaluate(PRESS, ["KeyR", "ر"])
    expect(picker).to_be_visible()
    hana.page.evaluate(PRESS, ["Slash", "\u061f"])
    expect(hana.page.locator("#keys-help")).to_be_visible()


def test_after_a_log_in_in_another_tab_the_page_says_to_reload(join_as: JoinAs) -> None:
    dee = join_as("dee")
    dee.page.goto("/")
    headers = "document.body.getAttribute('hx-headers')"
    before = dee.page.evaluate(headers)
    other = dee.context.new_page()
    other.goto("/accounts/logout/")
    other.locator("main form button[type=submit]").click()
    other.goto("/accounts/login/")
    other.fill("input[name=login]", dee.handle)
    other.fill("input[name=password]", dee.site.demo_password)
    other.press("input[name=password]", "Enter")
    expect(other.locator("button.me")).to_be_visible(timeout=LONG)
    other.close()
    assert dee.page.evaluate(headers) == before
    for path in ("/people/hana/block/", "/api/people/hana/follow/"):
        dee.page.evaluate("(url) => import('frame/toast.js').then(({ change }) => change('POST', url))", path)
        toast = dee.page.locator("#toasts .toast").last
        expect(toast).to_contain_text("You logged in or out in another tab. Reload this page, then try again.")
        toast.get_by_role("button", name="Close").click()


@pytest.mark.parametrize("blocked", ["**/rooms/page/banners*.js", "**/rooms/app*.js"], ids=["a module", "all"])
def test_a_blocked_module_is_one_sentence_instead_of_a_dead_button(join_as: JoinAs, blocked: str) -> None:
    hana, lior = join_as("hana"), join_as("lior")
    address = hana.open_space()
    sentence = hana.page.locator("[data-part=did-not-start]")
    expect(hana.page.locator("[data-part=join]")).to_be_visible()
    expect(sentence).to_have_count(0, timeout=LONG)
    lior.page.route(blocked, lambda route: route.abort())
    lior.page.goto(address)
    said = lior.page.locator("[data-part=did-not-start]")
    expect(said).to_be_hidden()
    expect(said).to_be_visible(timeout=LONG)
    expect(said).to_contain_text("A part of this page did not load, or your browser is too old for it.")
    assert said.evaluate("(one) => one.clientHeight") > 10
