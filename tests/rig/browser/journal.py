"""Chromium's statistics of a connection while its network changes: how long the sound is away, and what is new."""

from dataclasses import dataclass
from typing import Any

from tests.rig.browser.person import Person

WRITE = """() => {
  const pages = window.journal = [];
  const connection = window.connections.at(-1);
  const look = async () => {
    const stats = [...(await connection.getStats()).values()];
    const sound = stats.find((one) => one.type === "inbound-rtp");
    const transport = stats.find((one) => one.type === "transport");
    pages.push({
      at: performance.now() / 1000, packets: sound.packetsReceived, energy: sound.totalAudioEnergy, ssrc: sound.ssrc,
      dtls: transport.dtlsState, certificates: [transport.localCertificateId, transport.remoteCertificateId],
      keys: transport.iceLocalUsernameFragment,
    });
    if (window.journal === pages) setTimeout(look, 20);
  };
  look();
}"""
AUDIBLE = 1e-4  # of totalAudioEnergy, between two looks: much more than an echo of concealment


@dataclass(frozen=True)
class Journal:
    """`silent` and `deaf`: the longest times in seconds without sound in the packets, and without packets."""

    silent: float
    deaf: float
    pages: list[dict[str, Any]]

    @property
    def is_one_session(self) -> bool:
        """Whether DTLS was connected all the time, with the same certificates and the same stream."""
        return len({(one["dtls"], *one["certificates"], one["ssrc"]) for one in self.pages}) == 1

    @property
    def restarts(self) -> int:
        """How many ICE restarts there were."""
        return len({one["keys"] for one in self.pages}) - 1


def begin(person: Person) -> None:
    """Write down what happens from now on."""
    person.page.evaluate(WRITE)


def end(person: Person) -> Journal:
    """Read what happened since, and write no more."""
    pages = person.page.evaluate("() => { const pages = window.journal; window.journal = null; return pages; }")
    return Journal(_longest(pages, "energy", AUDIBLE), _longest(pages, "packets", 0.5), pages)


def _longest(pages: list[dict[str, Any]], name: str, least: float) -> float:
    """The longest time in which a counter did not grow by `least`."""
    longest, since, value = 0.0, pages[0]["at"], pages[0][name]
    for page in pages:
        if page[name] >= value + least:
            longest, since, value = max(longest, page["at"] - since), page["at"], page[name]
    return max(longest, pages[-1]["at"] - since)
