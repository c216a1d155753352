"""What Chromium itself says of the sound that it gets: silence that is told of is neither loss nor the end."""

from collections.abc import Callable

import pytest

from tests.browser.conftest import HANA, SOL
from tests.browser.counters import KEEP_CONNECTIONS, grown, over, received
from tests.browser.person import Person

pytestmark = pytest.mark.browser
MOST_CONCEALED = 0.02  # share of the samples; none at all unless the machine of the tests stalls
SETTLED_MS, SILENT_MS, TALKING_MS = 1_500, 4_000, 2_500


def test_a_silent_space_stays_connected_and_nothing_is_concealed(
    speakers: tuple[Person, Person], join_as: Callable[..., Person]
) -> None:
    lior = join_as("lior")
    lior.page.add_init_script(KEEP_CONNECTIONS)
    lior.join(speakers[0].page.url)
    lior.until_hears(SOL)
    lior.page.wait_for_timeout(SETTLED_MS)
    start = received(lior)
    talking = over(lior, TALKING_MS)
    press_mute(speakers)
    lior.last_heard(SOL)
    silent = over(lior, SILENT_MS)
    press_mute(speakers)
    lior.until_hears(SOL)
    lior.until_hears(HANA)
    whole = grown(start, received(lior))
    assert talking["packetsReceived"] == pytest.approx(TALKING_MS / 20, rel=0.15)
    assert 2 * SILENT_MS / 1000 <= silent["packetsReceived"] < 5 * SILENT_MS / 1000
    assert silent["concealedSamples"] == whole["packetsLost"] == 0
    assert whole["concealedSamples"] < MOST_CONCEALED * whole["totalSamplesReceived"]
    assert lior.page.evaluate("window.connections.length") == 1, "dialled anew in silence"


def press_mute(people: tuple[Person, ...]) -> None:
    for person in people:
        person.page.keyboard.press("m")
