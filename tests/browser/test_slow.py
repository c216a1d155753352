"""audio.js against a network on which everything takes long."""

from collections.abc import Callable

import pytest

from tests.browser.person import Person

pytestmark = pytest.mark.browser
HANDSHAKE_MS = 3_500  # more than sound may be silent for

# A connection over which the first packet of sound comes late. Gives the number of dials until sound was live.
JOIN = """(handshake) => import("rooms/audio.js").then(({ Sound }) => new Promise((done) => {
  let dials = 0;
  window.RTCPeerConnection = class {
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
  const sound = new Sound(document.createElement("audio"), async () => ({ sdp: "", node: "n" }), () => {
    if (sound.state === "live") done(dials);
  });
  sound.connect();
  setTimeout(() => done(99), 30000);
}))"""


def test_a_slow_handshake_is_waited_for(join_as: Callable[..., Person]) -> None:
    page = join_as("lior").page
    page.goto("/")
    assert page.evaluate(JOIN, HANDSHAKE_MS) <= 3, "given up again and again"
