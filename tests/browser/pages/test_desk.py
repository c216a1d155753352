"""From the report in the Space to the decision at the desk, and back into the live sound."""

import contextlib
import io
import re
from collections.abc import Callable

import av
import numpy as np
import pytest
from playwright.sync_api import expect

from rooms.media.units import SAMPLE_RATE
from tests.rig.browser.person import PATIENCE_SECONDS, Person, until
from tests.rig.browser.sounds import decoded
from tests.rig.sound.measures import strength

pytestmark = pytest.mark.browser
SOL = 1_100  # Hz of the voice of sol
LONG = PATIENCE_SECONDS * 1000
AUDIBLE = 0.02  # of full scale
OWN = "audio[src*='/sound/own/']"


def test_a_report_is_heard_at_the_desk_and_decided_in_the_live_room(join_as: Callable[..., Person]) -> None:
    hana, sol, lior, mo = join_as("hana"), join_as("sol", tone=SOL), join_as("lior"), join_as("mo")
    log_in_by_link(mo)
    path = hana.open_space("Reported")
    hana.join(path)
    lior.join(path)
    sol.join(path)
    sol.ask_and_be_admitted(hana)
    sol.open_microphone()
    lior.until_hears(SOL)
    report(lior, "sol")

    open_case(mo, "Reported")
    until(lambda: strength_of(mo, SOL) > AUDIBLE, "sol's own track, fetched at the desk, holds sol's voice")
    play(mo)

    mo.page.get_by_label("Remove from this Space").check()
    mo.page.get_by_label("Statement of reasons").fill("Shouted at people, twice.")
    mo.page.get_by_role("button", name="Decide").click()
    print(f"removed at the desk: silent after {lior.last_heard(SOL):.2f} s")
    expect(sol.find("screen-removed")).to_be_visible(timeout=LONG)
    expect(mo.page.locator("#effect")).to_have_attribute("data-done", "yes", timeout=LONG)
    expect(mo.page.locator("#effect")).to_contain_text("cannot come back")
    sol.page.get_by_role("link", name="Why?").click()
    expect(sol.page.locator("article")).to_contain_text("Shouted at people, twice.")
    assert not lior.hears_within(SOL, 1)
    assert sol.problems + lior.problems + mo.problems == []


def report(person: Person, about: str) -> None:
    person.choose(about, "report")
    person.page.get_by_label("Harassment or bullying").check()
    person.page.get_by_role("button", name="Send report").click()
    expect(person.page.locator("#report")).to_contain_text("Your report is with the safety team", timeout=LONG)
    person.page.get_by_role("button", name="Done").click()


def log_in_by_link(mo: Person) -> None:
    """The link of the demonstration counts as a second factor; a password alone opens no staff page."""
    mo.context.clear_cookies()
    mo.page.goto("/")
    mo.page.get_by_role("link", name="Review a report as Mo").click()
    expect(mo.page.locator("#user-tools")).to_be_visible(timeout=LONG)


def open_case(mo: Person, title: str) -> None:
    """From the queue of the admin to the desk: the case about this Space, claimed."""
    mo.page.goto("/admin/moderation/case/")
    mo.page.locator("#result_list tr", has_text=title).get_by_role("link", name="@sol").click()
    mo.page.get_by_role("button", name=re.compile("Claim the case")).click()
    expect(mo.page.locator(OWN)).to_be_visible()


def strength_of(mo: Person, frequency: int) -> float:
    """How loud this tone is in what the desk's player fetches of the person's own track: its loudest half second."""
    answer = mo.page.request.get(str(mo.page.locator(OWN).get_attribute("src")))
    sound = np.zeros(0, np.int16)
    with contextlib.suppress(av.error.EOFError):  # a clip without a packet: no chunk of this track is there yet
        sound = decoded(io.BytesIO(answer.body())) if answer.ok else sound
    half = SAMPLE_RATE // 2
    return max((strength(sound[at : at + half], frequency) for at in range(0, len(sound) - half, half)), default=0.0)


def play(mo: Person) -> None:
    """By key, from half a minute before the report: the player moves on."""
    own = mo.page.locator(OWN)
    mo.page.keyboard.press("1")
    until(lambda: own.evaluate("player => player.currentTime") > 1.0, "the evidence plays")
    assert own.evaluate("player => player.error") is None
