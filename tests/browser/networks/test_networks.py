"""What Chromium makes of the sound over long packets, and over a network that loses some."""

import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from bench.rig.relay import Network
from tests.browser.conftest import BURST_SECONDS, HANA, SOL
from tests.rig.browser.counters import COUNT_COPIES, KEEP_CONNECTIONS, WINDOW_MS, over, undisturbed
from tests.rig.browser.detour import Detour
from tests.rig.browser.gaps import Gaps
from tests.rig.browser.person import PATIENCE_SECONDS, Person, until
from tests.rig.machine import Machine

pytestmark = [pytest.mark.browser, pytest.mark.proof]
JoinAs = Callable[..., Person]
LONG = PATIENCE_SECONDS * 1000
SETTLED_MS, MEASURED_MS = 2_000, 4_000
LOSS = 0.1
LONGEST_SILENCE = BURST_SECONDS  # of a voice that pauses for less than half of it


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
    heard = undisturbed(lambda: over(lior, WINDOW_MS))
    assert heard["packetsReceived"] == pytest.approx(WINDOW_MS / 60, rel=0.15)
    assert heard["packetsLost"] == heard["concealedSamples"] == 0


def test_a_listener_whose_network_loses_packets_learns_it_and_gets_some_of_them_back(
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
    assert heard["fecPacketsReceived"] > 0.5 * arrived, "after lior's reports each packet has a copy of the one before"
    assert heard["concealedSamples"] / heard["totalSamplesReceived"] < 0.7 * lost / (arrived + lost)
    assert lior.hears_within(HANA, 2.0)
    assert lior.hears_within(SOL, 2.0)
    detour.spoil()
    expect(lior.find("connection")).to_have_text("connection: good", timeout=LONG)


def test_a_speaker_whose_network_loses_packets_learns_it_and_is_heard_all_the_same(
    join_as: JoinAs, detour: Detour, site: Machine
) -> None:
    hana, lior = join_as("hana", tone=HANA), join_as("lior")
    hana.page.add_init_script(COUNT_COPIES)
    detour.lead(hana)
    path = hana.open_space()
    hana.join(path)
    hana.open_microphone()
    lior.join(path)
    lior.until_hears(HANA)
    detour.spoil(up=Network(loss=LOSS))
    expect(hana.page.locator("[data-banner=poor]")).to_contain_text("others hear you with gaps", timeout=LONG)
    hana.page.evaluate("window.copies = { packets: 0, with: 0 }")
    gaps, before = Gaps(lior), voice_counts(site, path)
    lior.page.wait_for_timeout(WINDOW_MS)
    longest, counts = gaps.longest(), voice_counts(site, path) - before
    copies = hana.page.evaluate("window.copies")
    print(dict(counts), copies)
    assert copies["with"] > 0.2 * copies["packets"], "the node's reports make her encoder put copies in"
    assert counts["lost"] / (counts["received"] + counts["lost"]) == pytest.approx(LOSS, rel=0.6)
    assert counts["concealed"] >= 0.8 * counts["lost"], "lost packets are filled in, from copies if there are some"
    assert longest < LONGEST_SILENCE
    assert lior.keeps_hearing(HANA)


def voice_counts(site: Machine, path: str) -> Counter[str]:
    """What the node has counted of the one voice in a Space."""
    (voice,) = site.ask_node(path.rstrip("/").rsplit("/", 1)[1])["voices"].values()
    return Counter({name: voice[name] for name in ("received", "lost", "late", "concealed")})
