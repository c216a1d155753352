"""What a host does to people, and coming back to a Space: seen and heard by everyone."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from rooms.protocol import Close
from tests.browser.conftest import HANA, SOL
from tests.rig.browser.person import PATIENCE_SECONDS, Person
from tests.rig.machine import Machine

pytestmark = pytest.mark.browser
JoinAs = Callable[..., Person]
LONG = PATIENCE_SECONDS * 1000


def test_a_speaker_is_moved_to_the_audience_and_may_come_back(speakers: tuple[Person, Person]) -> None:
    hana, sol = speakers
    hana.until_hears(SOL)
    hana.choose("sol", "move")
    print(f"moved to the audience: silent after {hana.last_heard(SOL):.2f} s")
    expect(hana.listening("sol")).to_be_visible(timeout=LONG)
    expect(sol.page.locator("#toasts")).to_contain_text("The host moved you to the audience.")
    expect(sol.find("mic")).to_be_hidden()
    sol.until_hears(HANA)
    sol.ask_and_be_admitted(hana)
    expect(sol.on_stage("sol")).to_contain_text("muted")
    assert not hana.hears_within(SOL, 1), "the microphone opened without a click"
    sol.open_microphone()
    hana.until_hears(SOL)
    assert hana.problems + sol.problems == []


def test_a_speaker_who_leaves_comes_back_as_a_listener(speakers: tuple[Person, Person]) -> None:
    hana, sol = speakers
    hana.until_hears(SOL)
    sol.find("leave").click()
    print(f"left: silent after {hana.last_heard(SOL):.2f} s")
    expect(hana.on_stage("sol")).to_have_count(0)
    assert not sol.hears_within(HANA, 1), "sol has left and still hears the Space"
    sol.find("join").click()
    sol.until_hears(HANA)
    expect(hana.listening("sol")).to_be_visible(timeout=LONG)
    sol.ask_and_be_admitted(hana)
    sol.open_microphone()
    hana.until_hears(SOL)


def test_host_and_speaker_reload_the_page_and_keep_their_places(speakers: tuple[Person, Person]) -> None:
    hana, sol = speakers
    path = hana.page.url
    hana.page.reload()
    expect(sol.page.locator("[data-banner=away]")).to_contain_text("The host lost their connection.", timeout=LONG)
    hana.join(path)
    expect(sol.page.locator("[data-banner=away]")).to_have_count(0)
    expect(hana.on_stage("hana")).to_contain_text("muted", timeout=LONG)
    hana.open_microphone()
    sol.until_hears(HANA)
    sol.page.reload()
    expect(hana.on_stage("sol")).to_contain_text("connection lost", timeout=LONG)
    sol.join(path)
    expect(hana.on_stage("sol")).to_contain_text("muted", timeout=LONG)
    sol.open_microphone()
    hana.until_hears(SOL)
    assert hana.problems + sol.problems == []


def test_a_listener_who_comes_before_the_host_learns_that_the_host_is_not_here(join_as: JoinAs) -> None:
    hana, lior = join_as("hana"), join_as("lior")
    path = hana.open_space()
    lior.join(path)
    expect(lior.page.locator("[data-banner=away]")).to_contain_text("The host is not here yet.")
    expect(lior.on_stage("hana")).to_contain_text("not here yet")
    hana.page.evaluate("window.said = []")
    hana.page.evaluate(
        "new MutationObserver(() => window.said.push(document.getElementById('announcer').textContent))"
        ".observe(document.getElementById('announcer'), { childList: true, characterData: true, subtree: true })"
    )
    hana.find("join").click()
    expect(lior.page.locator("[data-banner=away]")).to_have_count(0, timeout=LONG)
    expect(lior.page.locator("#announcer")).to_have_text("The host is here.", timeout=LONG)
    expect(lior.on_stage("hana")).not_to_contain_text("not here yet")
    hana.until_connected()
    assert "The host is here." not in hana.page.evaluate("window.said"), "the host hears about their own arrival"
    assert hana.problems + lior.problems == []


def test_a_blocked_person_is_out_and_cannot_come_back(speakers: tuple[Person, Person], site: Machine) -> None:
    hana, sol = speakers
    hana.until_hears(SOL)
    path = hana.page.url
    try:
        hana.choose("sol", "block", confirm=True)
        print(f"blocked: silent after {hana.last_heard(SOL):.2f} s")
        expect(sol.find("screen-removed")).to_be_visible(timeout=LONG)
        assert not sol.hears_within(HANA, 2), "the blocked person still hears the Space"
        answer = sol.page.goto(path)
        assert answer is not None
        assert answer.status == 404
        assert sol.knock(path) == Close.NOT_FOUND
        sol.page.goto("/")
        expect(sol.page.locator("#fleet").get_by_role("link")).to_have_count(0)
        assert "Tea at four" not in sol.page.content()
    finally:
        hana.page.goto("/people/sol/")
        hana.page.get_by_role("button", name="Unblock").click()
        site.command("seed_demo")  # who follows whom in the other tests
