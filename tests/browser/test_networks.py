"""What Chromium makes of the sound over long packets, and over a network that loses some."""

import os
import signal
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from bench.rig.relay import Network
from tests.browser.conftest import HANA, SOL
from tests.browser.counters import KEEP_CONNECTIONS, over
from tests.browser.detour import Detour
from tests.browser.person import PATIENCE_SECONDS, Person, until
from tests.machine import Machine

pytestmark = [pytest.mark.browser, pytest.mark.proof]
JoinAs = Callable[..., Person]
LONG = PATIENCE_SECONDS * 1000
SETTLED_MS, MEASURED_MS = 2_000, 4_000
MOST_CONCEALED = 0.02  # share of the samples; none at all unless the machine of the tests stalls
LOSS = 0.1


@pytest.fixture
def detour(site: Machine) -> Iterator[Detour]:
    with Detour(site.media) as way:
        yield way


@pytest.mark.parametrize("other_node", [{"MEDIA_LONG_PACKETS_ABOVE": "0"}], indirect=True, ids=["of long packets"])
def test_packets_of_60_ms_are_played_without_a_gap(
    join_as: JoinAs, site: Machine, own_node: int, other_node: str
) -> None:
    os.kill(own_node, signal.SIGSTOP)
    until(lambda: site.health()["nodes"] == 1, "only the node of long packets is there")
    hana, lior = join_as("hana", tone=HANA), join_as("lior")
    path = hana.open_space()
    hana.join(path)
    hana.open_microphone()
    lior.page.add_init_script(KEEP_CONNECTIONS)
    lior.join(path)
    lior.until_hears(HANA)
    lior.page.wait_for_timeout(SETTLED_MS)
    heard = over(lior, MEASURED_MS)
    assert heard["packetsReceived"] == pytest.approx(MEASURED_MS / 60, rel=0.15)
    assert heard["packetsLost"] == 0
    assert heard["concealedSamples"] < MOST_CONCEALED * heard["totalSamplesReceived"]


def test_a_listener_whose_network_loses_packets_is_told_and_gets_some_of_them_back(
    speakers: tuple[Person, Person], join_as: JoinAs, detour: Detour
) -> None:
    lior = join_as("lior")
    detour.lead(lior)
    lior.page.add_init_script(KEEP_CONNECTIONS)
    lior.join(speakers[0].page.url)
    lior.until_hears(HANA)
    detour.spoil(down=Network(loss=LOSS))
    expect(lior.find("connection")).to_have_text("connection: poor", timeout=LONG)
    expect(lior.page.locator("[data-banner=poor]")).to_contain_text("words may be missing")
    heard = over(lior, MEASURED_MS)
    arrived, lost = heard["packetsReceived"], heard["packetsLost"]
    assert lost / (arrived + lost) == pytest.approx(LOSS, rel=0.6)
    assert heard["fecPacketsReceived"] > 0.5 * arrived, "from his reports on, each packet has a copy of the one before"
    assert heard["concealedSamples"] / heard["totalSamplesReceived"] < 0.7 * lost / (arrived + lost)
    assert lior.hears_within(HANA, 2.0)
    assert lior.hears_within(SOL, 2.0)
    detour.spoil()
    expect(lior.find("connection")).to_have_text("connection: good", timeout=LONG)


def test_a_speaker_whose_network_loses_packets_is_told_and_is_heard_all_the_same(
    join_as: JoinAs, detour: Detour
) -> None:
    hana, lior = join_as("hana", tone=HANA), join_as("lior")
    detour.lead(hana)
    path = hana.open_space()
    hana.join(path)
    hana.open_microphone()
    lior.join(path)
    lior.until_hears(HANA)
    detour.spoil(up=Network(loss=LOSS))
    expect(hana.page.locator("[data-banner=poor]")).to_contain_text("the others hear you with gaps", timeout=LONG)
    assert lior.keeps_hearing(HANA)
