"""audio.js and move.js where a move of the Space breaks off."""

from collections.abc import Callable

import pytest

from tests.browser.person import Person

pytestmark = pytest.mark.browser

# A listener who hears of the first step alone. Gives the long timers up to his dial, in ms; chance is always one half.
STEPS = """(within) => import("rooms/move.js").then(async ({ Move }) => {
  const [later, timers] = [window.setTimeout, []];
  Math.random = () => 0.5;
  window.setTimeout = (work, delay) => {
    timers.push(delay);
    return later(timers.length === 1 ? work : () => {}, 0);
  };
  new Move({}).step("stage", within, false);
  await new Promise((done) => later(done, 200));
  return timers.filter((delay) => delay > 1000);
})"""

# A speaker who has opened his second connection when he is told that the sound stays, or where it has gone instead.
# Gives the connections that he then has, by what became of them.
TOLD = """(node) => Promise.all([
  import("rooms/audio.js"), import("rooms/default_route.js"),
]).then(async ([{ Sound }, { connection }]) => {
  const connections = [];
  connection().close();
  frames[0].RTCPeerConnection = class {
    connectionState = "new";
    signalingState = "stable";
    localDescription = { sdp: "" };
    constructor() { connections.push("open"); this.number = connections.length - 1; }
    addTransceiver() { return { sender: { replaceTrack: async () => {} } }; }
    async setLocalDescription() {}
    async setRemoteDescription() { this.answered = performance.now(); }
    async getStats() {
      const packets = this.number ? 0 : Math.ceil((performance.now() - this.answered) / 20);
      return [{ type: "inbound-rtp", packetsReceived: packets }];
    }
    close() { this.signalingState = connections[this.number] = "closed"; }
  };
  const answers = ["here", "there", "elsewhere"];
  const until = async (holds) => { while (!holds()) await new Promise((done) => setTimeout(done, 20)); };
  const answer = async () => ({ sdp: "", node: answers[connections.length - 1] });
  const sound = new Sound(document.createElement("audio"), answer, () => {});
  sound.connect();
  await until(() => sound.state === "live");
  sound.moving({ node: "there", step: "stage", within: 1 }, true);
  await until(() => connections.length === 2);
  sound.renew(node);
  await new Promise((done) => setTimeout(done, 200));
  return connections;
})"""


def test_whoever_takes_a_step_by_himself_takes_it_at_a_moment_of_his_own(join_as: Callable[..., Person]) -> None:
    page = join_as("lior").page
    page.goto("/")
    timers = page.evaluate(STEPS, 12)
    assert timers == [15_000, 27_000, 6_000], "the step of its own, the one after it, and half of the 12 seconds"


def test_whoever_is_told_that_the_sound_stays_gives_the_second_connection_up(join_as: Callable[..., Person]) -> None:
    page = join_as("lior").page
    for node, connections in (("here", ["open", "closed"]), ("elsewhere", ["closed", "closed", "open"])):
        page.goto("/")
        assert page.evaluate(TOLD, node) == connections, node
