"""The whole way in Firefox, with its stock settings for connections: hears, is heard, is muted, comes back."""

import os
import signal
import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from spaces_project.machine.own_addresses import in_networks
from tests.browser.conftest import HANA
from tests.rig.browser.firefox import FirefoxPerson, firefox
from tests.rig.browser.hearing import until
from tests.rig.browser.person import Person
from tests.rig.machine import Machine

pytestmark = [pytest.mark.browser, pytest.mark.proof, pytest.mark.needs_firefox]
JoinAs = Callable[..., Person]
SOL = 1_300  # Hz of Firefox's microphone, a steady tone
LIMIT_SECONDS = 3.0  # one is promised, on a machine that has nothing else to do
BACK_SECONDS = 15.0  # ten are promised, likewise


@pytest.fixture(scope="module")
def member(site: Machine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FirefoxPerson]:
    """sol at a Firefox, logged in."""
    assert in_networks(), "Firefox pairs no loopback addresses, and this machine has no other one"
    with firefox(tmp_path_factory.mktemp("firefox"), SOL) as bidi:
        person = FirefoxPerson(bidi, site, "sol")
        person.log_in()
        yield person


@pytest.fixture
def sol(member: FirefoxPerson) -> Iterator[FirefoxPerson]:
    """sol, on a page of their own."""
    member.new_page()
    yield member
    member.leave_page()


@pytest.fixture
def hana(join_as: JoinAs) -> Person:
    """hana at a Chromium, unmuted in a Space that she hosts."""
    return begin(join_as)


def begin(join_as: JoinAs) -> Person:
    person = join_as("hana", tone=HANA)
    person.join(person.open_space())
    person.open_microphone()
    return person


def admit(host: Person, guest: FirefoxPerson) -> None:
    guest.click("ask")
    host.page.locator(f".request[data-handle={guest.handle}]").get_by_test_id("admit").click()
    guest.open_microphone()


def test_firefox_hears_is_heard_and_is_muted(hana: Person, sol: FirefoxPerson) -> None:
    came = time.monotonic()
    sol.join(path_of(hana))
    print(f"Firefox is connected {time.monotonic() - came:.2f} s after it loads the page")
    print(f"hears hana after {sol.until_hears(HANA):.2f} s")
    assert sol.keeps_hearing(HANA)
    admit(hana, sol)
    print(f"is heard by Chromium after {hana.until_hears(SOL):.2f} s")
    assert not sol.hears_within(SOL, 1), "sol hears their own voice"
    sol.until_sees("[data-bar=status]", "You are heard")
    hana.choose("sol", "mute")
    took = hana.last_heard(SOL)
    print(f"muted by the host: silent after {took:.2f} s")
    assert took < LIMIT_SECONDS
    sol.until_sees("[data-testid=mic]", "Muted by the host")
    hana.choose("sol", "unmute")
    sol.until_sees("[data-testid=mic]", "Unmute")
    sol.open_microphone()
    hana.until_hears(SOL)
    assert sol.problems == []


def test_firefox_is_back_after_the_node_was_killed(hana: Person, sol: FirefoxPerson, own_node: int) -> None:
    sol.join(path_of(hana))
    sol.until_hears(HANA)
    admit(hana, sol)
    hana.until_hears(SOL)
    os.kill(own_node, signal.SIGKILL)
    killed = time.monotonic()
    sol.last_heard(HANA, silence=1.0)
    sol.until_hears(HANA)
    hana.until_hears(SOL)
    print(f"hears and is heard {time.monotonic() - killed:.2f} s after the end of the node")
    assert time.monotonic() - killed < BACK_SECONDS


def test_firefox_is_back_after_the_web_process_was_killed(hana: Person, sol: FirefoxPerson, site: Machine) -> None:
    sol.join(path_of(hana))
    sol.until_hears(HANA)
    os.kill(site.child("runweb"), signal.SIGKILL)
    sol.until_sees("[data-testid=connection][data-state=reconnecting]")
    assert sol.keeps_hearing(HANA), "the sound does not need the socket"
    print(f"has its socket back {sol.until_connected():.2f} s after it was lost")
    assert sol.keeps_hearing(HANA)
    expect(hana.find("connection")).to_have_attribute("data-state", "live", timeout=45_000)
    admit(hana, sol)
    hana.until_hears(SOL)


def test_firefox_gets_files_if_a_node_is_on_loopback_alone(
    join_as: JoinAs, sol: FirefoxPerson, site: Machine, own_node: int, other_node: str
) -> None:
    os.kill(own_node, signal.SIGSTOP)
    until(lambda: site.health()["nodes"] == 1, "only the node at 127.0.0.1 is there")
    hana = begin(join_as)
    sol.goto(path_of(hana))
    sol.click("join")
    came = time.monotonic()
    sol.until_sees("[data-banner=unreachable]", "Live sound does not get through")
    sol.until_hears(HANA)
    print(f"hears hana as files {time.monotonic() - came:.1f} s after the click")
    sol.until_sees("[data-testid=connection]", "delayed by about")


def path_of(person: Person) -> str:
    return person.page.url.removeprefix(person.site.address)
