"""What Chromium itself says of the sound that it gets: announced silence is neither loss nor the end."""

from collections.abc import Callable

import pytest

from tests.browser.conftest import HANA, SOL
from tests.rig.browser.counters import KEEP_CONNECTIONS, grown, over, received, undisturbed
from tests.rig.browser.person import Person

pytestmark = [pytest.mark.browser, pytest.mark.proof]
SETTLED_MS, SILENT_MS, TALKING_MS = 1_500, 4_000, 2_500


def test_a_silent_space_stays_connected_and_nothing_is_concealed(
    speakers: tuple[Person, Person], join_as: Callable[..., Person]
) -> None:
    lior = join_as("lior")
    lior.page.add_init_script(KEEP_CONNECTIONS)
    lior.join(speakers[0].page.url)
    lior.until_hears(SOL)
    lior.page.wait_for_timeout(SETTLED_MS)
    whole = undisturbed(lambda: silence_amid_talk(speakers, lior))
    assert whole["concealedSamples"] == whole["packetsLost"] == 0
    assert lior.page.evaluate("window.connections.length") == 1, "dialled again in silence"


def silence_amid_talk(speakers: tuple[Person, Person], lior: Person) -> dict[str, float]:
    """By how much each counter grew while they talk, are silent for a while, and talk again."""
    start = received(lior)
    talking = over(lior, TALKING_MS)
    press_mute(speakers)
    lior.last_heard(SOL)
    silent = over(lior, SILENT_MS)
    press_mute(speakers)
    lior.until_hears(SOL)
    lior.until_hears(HANA)
    assert talking["packetsReceived"] == pytest.approx(TALKING_MS / 20, rel=0.15)
    assert 2 * SILENT_MS / 1000 <= silent["packetsReceived"] < 5 * SILENT_MS / 1000
    return grown(start, received(lior))


def press_mute(people: tuple[Person, ...]) -> None:
    for person in people:
        person.page.keyboard.press("m")
