"""When every media node is full: a place in the queue that moves up, and sound that starts automatically."""

import os
import signal
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import HANA
from tests.rig.browser.person import PATIENCE_SECONDS, Person, until
from tests.rig.machine import Machine

pytestmark = [pytest.mark.browser, pytest.mark.proof]
JoinAs = Callable[..., Person]
PATIENCE = PATIENCE_SECONDS * 1000


def come(person: Person, path: str) -> None:
    """Enter, whether there is sound or not."""
    person.page.goto(path)
    person.find("join").click()


def banner(person: Person) -> Locator:
    return person.page.locator("[data-banner=full]")


@pytest.mark.parametrize("other_node", [{"MEDIA_CAPACITY": "1", "HLS": "0"}], indirect=True, ids=["of one place"])
def test_a_listener_who_finds_the_node_full_queues_and_moves_up(
    join_as: JoinAs, site: Machine, own_node: int, other_node: str
) -> None:
    hana, lior, sol = join_as("hana"), join_as("lior"), join_as("sol")
    os.kill(own_node, signal.SIGSTOP)
    until(lambda: site.health()["nodes"] == 1, "only the small node is there")
    path = hana.open_space()
    hana.join(path)
    for number, person in enumerate((lior, sol), 1):
        come(person, path)
        expect(person.find("connection")).to_contain_text("waiting", timeout=PATIENCE)
        words = f"You are number {number} in line. The sound starts automatically."
        expect(banner(person)).to_contain_text(words, timeout=PATIENCE)
        expect(person.page.locator("#announcer")).to_contain_text(words, timeout=PATIENCE)
        expect(person.on_stage("hana")).to_be_visible()
    sol.page.reload()
    come(sol, path)
    expect(banner(sol)).to_contain_text("You are number 2 in line", timeout=PATIENCE)
    hana.page.close()
    left = time.monotonic()
    lior.until_connected()
    print(f"connected {time.monotonic() - left:.2f} s after a place was free")
    expect(banner(lior)).to_have_count(0)
    expect(banner(sol)).to_contain_text("You are number 1 in line", timeout=PATIENCE)
    print(f"the next one has moved up after {time.monotonic() - left:.2f} s")
    lior.find("leave").click()
    left = time.monotonic()
    sol.until_connected()
    print(f"connected {time.monotonic() - left:.2f} s after a listener left")
    assert sol.problems == []


@pytest.mark.parametrize(
    "other_node", [{"MEDIA_MOST_LOAD": "1", "HLS": "0"}], indirect=True, ids=["that is busy with next to nothing"]
)
def test_a_listener_who_comes_to_the_stage_waits_no_more(
    join_as: JoinAs, site: Machine, own_node: int, other_node: str
) -> None:
    hana, sol = join_as("hana", tone=HANA), join_as("sol")
    os.kill(own_node, signal.SIGSTOP)
    until(lambda: site.health()["nodes"] == 1, "only the busy node is there")
    path = hana.open_space()
    hana.join(path)
    hana.open_microphone()
    come(sol, path)
    expect(banner(sol)).to_contain_text("You are number 1 in line", timeout=PATIENCE)
    sol.ask_and_be_admitted(hana)
    sol.until_hears(HANA)
    expect(banner(sol)).to_have_count(0)
