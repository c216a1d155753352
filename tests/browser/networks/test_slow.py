"""sound.js and roaming.js against networks on which everything takes long, or fails."""

from collections.abc import Callable

import pytest

from tests.rig.browser.person import Person

pytestmark = [pytest.mark.browser, pytest.mark.proof]
HANDSHAKE_MS = 3_500  # more than sound may be silent for

# A connection over which the first packet of sound comes late. Returns the number of dials until sound was live.
JOIN = """(handshake) => Promise.all([
  import("rooms/sound/sound.js"), import("rooms/sound/default_route.js"),
]).then(([{ Sound }, { newConnection }]) => new Promise((done) => {
  let dials = 0;
  newConnection().close();
  frames[0].RTCPeerConnection = class {
    connectionState = "new";
    signalingState = "stable";
    localDescription = { sdp: "" };
    constructor() { dials += 1; }
    addTransceiver() { return { sender: { replaceTrack: async () => {} } }; }
    async setLocalDescription() {}
    async setRemoteDescription() { this.answered = performance.now(); }
    async getStats() {
      const since = performance.now() - this.answered - handshake;
      return [{ type: "inbound-rtp", packetsReceived: Math.max(0, Math.ceil(since / 20)) }];
    }
    close() { this.signalingState = "closed"; }
  };
  const sound = new Sound(document.createElement("audio"), async () => ({ sdp: "", boot: "b" }), () => {
    if (sound.state === "live") done(dials);
  });
  sound.connect();
  setTimeout(() => done(99), 30000);
}))"""


# roaming.js with a peer whose restarts end with these codes, null for an answer. Returns what it does after the first.
ROAM = """(codes) => import("rooms/sound/roaming.js").then(async ({ Roaming }) => {
  let tries = 0;
  let lost = 0;
  const peer = { restart: async () => {
    const code = codes[Math.min(tries++, codes.length - 1)];
    if (code) throw Object.assign(new Error(code), { code });
  } };
  const roaming = new Roaming({ offer: async () => ({}), lost: () => { lost += 1; } });
  roaming.follow(peer);
  await roaming.restart();
  const said = { lost, holds: roaming.holds, tries };
  roaming.resume();
  said.resumed = tries - said.tries;
  roaming.stop();
  return said;
})"""


def test_what_becomes_of_a_connection_after_a_restart(join_as: Callable[..., Person]) -> None:
    page = join_as("lior").page
    page.goto("/")
    kept = {"lost": 0, "holds": True, "tries": 1, "resumed": 0}
    for code, becomes in {
        None: kept, "no_network": kept, "offline": kept | {"resumed": 1}, "no_answer": kept | {"resumed": 1},
        "no_peer": kept | {"lost": 1, "holds": False}, "refused": kept | {"lost": 1, "holds": False},
        "no_node": kept | {"holds": False},
    }.items():  # fmt: skip
        assert page.evaluate(ROAM, [code]) == becomes, code


def test_a_slow_handshake_is_waited_for(join_as: Callable[..., Person]) -> None:
    page = join_as("lior").page
    page.goto("/")
    assert page.evaluate(JOIN, HANDSHAKE_MS) <= 3, "given up again and again"
