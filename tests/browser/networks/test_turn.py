"""The way through closed networks: Chromium with nothing but a relay, through Debian's coturn as documented."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Playwright

from tests.browser.conftest import HANA, SOL, beside
from tests.rig.browser.person import Person, until
from tests.rig.machine import START_SECONDS, Machine
from tests.rig.services.coturn import NAME, SECRET, Coturn

pytestmark = [pytest.mark.browser, pytest.mark.proof, pytest.mark.needs_coturn, pytest.mark.needs_network]
TRANSPORTS = ("udp", "tcp", "tls")
OF_A_USER = 24  # user-quota
# A network that lets out only TURN, by one transport: the browser gathers only relayed candidates.
CLOSED = """window.connections = parent.connections ?? [];
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(configuration) {
    super({ ...configuration, iceTransportPolicy: "relay" });
    window.connections.push(this);
  }
  setConfiguration(configuration) {
    const open = ({ urls, ...server }) => ({ ...server, urls: urls.filter((url) => OPEN.includes(url)) });
    super.setConfiguration({ ...configuration, iceServers: configuration.iceServers.map(open) });
  }
};"""
WAY = """async () => {
  const stats = await window.connections.at(-1).getStats();
  const pair = stats.get([...stats.values()].find((one) => one.type === "transport").selectedCandidatePairId);
  const local = stats.get(pair.localCandidateId), remote = stats.get(pair.remoteCandidateId);
  return { type: local.candidateType, relay: local.relayProtocol, node: remote.address,
           trip_ms: 1000 * pair.currentRoundTripTime, sent: pair.bytesSent, received: pair.bytesReceived };
}"""
PORTS = """async () => [...(await window.connections.at(-1).getStats()).values()]
  .filter((one) => one.type === "local-candidate" && one.candidateType === "relay").length"""
ALLOCATION = """async () => {
  const stats = await window.connections.at(-1).getStats();
  const pair = stats.get([...stats.values()].find((one) => one.type === "transport")?.selectedCandidatePairId);
  return [pair && stats.get(pair.localCandidateId)?.port, pair?.packetsReceived ?? 0];
}"""
KEPT = """() => JSON.stringify([document.documentElement.outerHTML, Object.entries(localStorage),
  Object.entries(sessionStorage), document.cookie])"""
CREDENTIALS = "() => window.connections.at(-1).getConfiguration().iceServers[0]"
# Credentials of a second are renewed before they end, and reach a connection that keeps the rest of its configuration.
RENEWED = """(url) => Promise.all([import("rooms/sound/turn.js"), import("rooms/sound/peer.js")])
  .then(([{ Turn }, { Peer }]) =>
  new Promise((done) => {
    const peer = new Peer({ heard() {}, failed() {} }), seen = [];
    const ask = async () => ({ servers: [{ urls: [url], username: `${seen.length}`, credential: "x" }], seconds: 1 });
    const turn = new Turn(ask, (servers) => {
      peer.use(servers);
      const { iceServers, iceTransportPolicy } = window.connections.at(-1).getConfiguration();
      seen.push([iceServers[0].username, iceTransportPolicy]);
      if (seen.length < 3) return;
      turn.forget();
      done(seen);
    });
    turn.servers();
  }))"""
REFUSED = """() => import("rooms/sound/turn.js").then(({ Turn }) =>
  new Turn(async () => { throw new Error("asked too often"); }, () => {}).servers())"""


def urls(coturn: Coturn) -> dict[str, str]:
    """The values of TURN_URLS. For UDP Chromium asks the system for a name, and the system does not know ours."""
    return {
        "udp": f"turn:{coturn.cable.there}:3478?transport=udp",
        "tcp": f"turn:{NAME}:3478?transport=tcp",
        "tls": f"turns:{NAME}:443?transport=tcp",
    }


@pytest.fixture(scope="module")
def closed_site(coturn: Coturn) -> Iterator[Machine]:
    """An installation with TURN. Its media node is at our end of coturn's cable.

    The node on loopback, which no relay may reach, is stopped.
    """
    machine = Machine(TURN_URLS=",".join(urls(coturn).values()), TURN_SECRET=SECRET)
    try:
        machine.start()
        own_node = machine.child("runmedia")
        with beside(machine, "near", coturn.cable.here):
            os.kill(own_node, signal.SIGSTOP)
            until(lambda: machine.health()["nodes"] == 1, "only the near node is there", START_SECONDS)
            yield machine
    finally:
        machine.remove()


@pytest.fixture(scope="module")
def hana_and_sol(
    closed_site: Machine, coturn: Coturn, playwright: Playwright, chromium_path: str, tone_file: Callable[[int], Path]
) -> Iterator[tuple[Person, Person]]:
    """Browsers that know coturn's name. Of all self-signed certificates they believe only coturn's."""
    flags = [f"--host-resolver-rules=MAP {NAME} {coturn.cable.there}"]
    flags += [f"--ignore-certificate-errors-spki-list={coturn.public_key}"]
    people = [
        Person(playwright, chromium_path, closed_site, handle, tone_file(tone), flags=flags)
        for handle, tone in (("hana", HANA), ("sol", SOL))
    ]
    yield people[0], people[1]
    for person in people:
        person.close()


@pytest.fixture
def members(closed_site: Machine, hana_and_sol: tuple[Person, Person]) -> Iterator[tuple[Person, Person]]:
    """hana and sol. Their pages are closed at the end."""
    hana, _ = hana_and_sol
    yield hana_and_sol
    for person in hana_and_sol:
        person.page.close()
    for (space,) in closed_site.rows("SELECT id FROM rooms_space WHERE state = 'live'"):
        hana.new_page()
        hana.end(space)
        hana.page.close()


def enclose(person: Person, *ways: str) -> None:
    """A new page, in a network that lets out only these servers."""
    person.new_page()
    person.page.add_init_script(CLOSED.replace("OPEN.", f"{json.dumps(ways)}."))


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_member_of_a_closed_network_hears_and_is_heard(
    members: tuple[Person, Person], closed_site: Machine, coturn: Coturn, transport: str
) -> None:
    hana, sol = members
    for person in members:
        enclose(person, urls(coturn)[transport])
    path = hana.open_space()
    hana.join(path)
    hana.open_microphone()
    sol.join(path)
    print(f"sol hears hana after {sol.until_hears(HANA):.2f} s")
    sol.ask_and_be_admitted(hana)
    sol.open_microphone()
    print(f"hana hears sol after {hana.until_hears(SOL):.2f} s")
    for person in members:
        way = person.page.evaluate(WAY)
        print(f"{person.handle} by {transport}: {way}")
        assert (way["type"], way["relay"], way["node"]) == ("relay", transport, coturn.cable.here)
        assert person.problems == []
    credential = hana.page.evaluate(CREDENTIALS)["credential"]
    assert credential not in hana.page.evaluate(KEPT)
    assert credential not in closed_site.said() + coturn.said()


def test_a_page_takes_few_ports_and_comes_back_after_a_restart_of_coturn(
    members: tuple[Person, Person], coturn: Coturn
) -> None:
    """With all ways open, as a browser has them: each relayed candidate is a port."""
    hana, sol = members
    enclose(hana, *urls(coturn).values())
    enclose(sol)
    hana.join(hana.open_space())
    took = hana.page.evaluate(PORTS)
    print(f"{took} ports for one page, of {len(TRANSPORTS)} URLs")
    assert 0 < took <= OF_A_USER
    before, _ = hana.page.evaluate(ALLOCATION)
    coturn.restart()
    took_again = until(lambda: hana.page.evaluate(ALLOCATION)[0] not in (None, before), "the page has a new allocation")
    hana.until_connected()
    _, heard = hana.page.evaluate(ALLOCATION)
    until(lambda: hana.page.evaluate(ALLOCATION)[1] > heard, "packets come again")
    print(f"coturn was started again; the page has a new allocation after {took_again:.2f} s and hears")
    assert hana.page.evaluate(WAY)["type"] == "relay"


def test_credentials_are_renewed_before_they_end_and_a_refusal_leaves_the_direct_way(
    members: tuple[Person, Person], coturn: Coturn
) -> None:
    hana, sol = members
    enclose(hana, urls(coturn)["udp"])
    enclose(sol)
    hana.page.goto("/")
    seen = hana.page.evaluate(RENEWED, urls(coturn)["udp"])
    assert seen == [["0", "relay"], ["1", "relay"], ["2", "relay"]]
    sol.page.goto("/")
    assert sol.page.evaluate(REFUSED) == []
