"""default_route.js: connections that are bound to no address, though the page may use the microphone."""

import shutil

import pytest
from playwright.sync_api import Playwright

from tests.rig.browser.person import Person
from tests.rig.machine import Machine

pytestmark = pytest.mark.browser

# The addresses that a connection offers, made in a page that has the microphone, and the number of frames for two.
OFFERED = """() => import("rooms/sound/default_route.js").then(async ({ newConnection }) => {
  await navigator.mediaDevices.getUserMedia({ audio: true });
  newConnection().close();
  const one = newConnection(), addresses = [];
  one.addTransceiver("audio");
  const gathered = new Promise((done) => {
    one.onicecandidate = ({ candidate }) => (candidate ? addresses.push(candidate.address) : done());
  });
  await one.setLocalDescription();
  await gathered;
  return [addresses, document.querySelectorAll("iframe").length];
})"""


def test_a_connection_is_bound_to_no_address_of_ours(site: Machine, playwright: Playwright, chromium_path: str) -> None:
    """By Chromium's own rules: rights that a test gives to a page hold in each of its frames."""
    sol = Person(playwright, shutil.which("chromium") or chromium_path, site, "sol", None)
    sol.context.clear_permissions()
    sol.new_page()
    sol.page.goto("/")
    addresses, frames = sol.page.evaluate(OFFERED)
    sol.close()
    assert addresses
    assert all(address.endswith(".local") for address in addresses), addresses
    assert frames == 1
