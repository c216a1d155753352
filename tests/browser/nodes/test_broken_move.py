"""sound.js and move.js when a move of the Space breaks off."""

from collections.abc import Callable

import pytest

from tests.rig.browser.person import Person

pytestmark = pytest.mark.browser

# A listener who gets only the first step. Returns the long timers up to the dial, in ms; chance is always one half.
STEPS = """(within) => import("rooms/sound/move.js").then(async ({ Move }) => {
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

# The fakes for tests of sound.js: `connections` holds the state of each one, `offers` the node that each one names.
# Offers get the `answers` in order, once `answered` resolves.
FAKES = """const { Sound } = await import("rooms/sound/sound.js");
  const { newConnection } = await import("rooms/sound/default_route.js");
  const connections = [], offers = [];
  newConnection().close();
  frames[0].RTCPeerConnection = class {
    connectionState = "new";
    signalingState = "stable";
    localDescription = { sdp: "" };
    constructor() { connections.push("open"); this.number = connections.length - 1; }
    addTransceiver() { return { sender: { replaceTrack: async () => {} } }; }
    getConfiguration() { return { iceTransportPolicy: "relay" }; }
    async createOffer() {}
    async setLocalDescription() {}
    async setRemoteDescription() { this.answered ??= performance.now(); }
    async getStats() {
      const packets = this.number ? 0 : Math.ceil((performance.now() - this.answered) / 20);
      return [{ type: "inbound-rtp", packetsReceived: packets }];
    }
    close() { this.signalingState = connections[this.number] = "closed"; }
  };
  const answers = ["here", "there", "elsewhere"];
  const moment = () => new Promise((done) => setTimeout(done, 20));
  const until = async (holds) => { while (!holds()) await moment(); };
  let answered = Promise.resolve();
  const sound = new Sound(document.createElement("audio"), async (sdp, kept = "") => {
    const boot = answers[offers.push(kept) - 1];
    await answered;
    return { sdp: "", boot };
  }, () => {});
"""

# A speaker has opened a second connection. Then the sound stays, or goes to a third node. Returns the states of the
# connections.
RENEWED = f"""async (node) => {{
  {FAKES}
  sound.connect();
  await until(() => sound.state === "live");
  sound.follower.moving({{ boot: "there", step: "stage", within: 1 }}, true);
  await until(() => connections.length === 2);
  sound.follower.renew(node);
  await new Promise((done) => setTimeout(done, 200));
  return connections;
}}"""

# A member whose offer is under way during these steps of a move. The old node answers it.
LATE = f"""async (steps) => {{
  {FAKES}
  let arrive;
  answered = new Promise((done) => {{ arrive = done; }});
  sound.connect();
  await until(() => offers.length === 1);
  steps.forEach((step) => sound.follower.moving({{ boot: "there", step, within: 0 }}, false));
  arrive();
  await new Promise((done) => setTimeout(done, 200));
  return connections;
}}"""

# A speaker whose network changes during a move, with a connection to both nodes. Returns the offers and connections.
RESTARTED = f"""async () => {{
  {FAKES}
  sound.connect();
  await until(() => sound.state === "live");
  sound.follower.moving({{ boot: "there", step: "stage", within: 1 }}, true);
  await until(() => offers.length === 2);
  dispatchEvent(new Event("online"));
  await until(() => offers.length === 3);
  return [offers, connections];
}}"""

# A member gets snapshots that name this node: before the answer, in the middle of a move, and after it. Returns the
# states of the connections after each.
SNAPSHOTS = f"""async (node) => {{
  {FAKES}
  const after = async () => {{
    sound.follower.placed(node);
    await new Promise((done) => setTimeout(done, 200));
    return [...connections];
  }};
  let arrive;
  answered = new Promise((done) => {{ arrive = done; }});
  sound.connect();
  await until(() => offers.length === 1);
  const early = await after();
  arrive();
  await until(() => sound.state === "live");
  sound.follower.moving({{ boot: "there", step: "stage", within: 1 }}, true);
  await until(() => connections.length === 2);
  const moving = await after();
  sound.follower.renew("here");
  return [early, moving, await after()];
}}"""


def test_a_page_that_gets_no_further_step_takes_it_at_a_moment_of_its_own(join_as: Callable[..., Person]) -> None:
    page = join_as("lior").page
    page.goto("/")
    timers = page.evaluate(STEPS, 12)
    assert timers == [15_000, 27_000, 6_000], "the step of its own, the one after it, and half of the 12 seconds"


def test_if_the_sound_stays_the_second_connection_is_given_up(join_as: Callable[..., Person]) -> None:
    page = join_as("lior").page
    for node, connections in (("here", ["open", "closed"]), ("elsewhere", ["closed", "closed", "open"])):
        page.goto("/")
        assert page.evaluate(RENEWED, node) == connections, node


def test_an_offer_that_was_under_way_longer_than_a_move_is_made_again(join_as: Callable[..., Person]) -> None:
    page = join_as("lior").page
    for steps in (["stage"], ["all", "over"], ["over"]):
        page.goto("/")
        assert page.evaluate(LATE, steps) == ["closed", "open"], steps


def test_a_restart_in_the_middle_of_a_move_names_the_node_of_what_is_heard(join_as: Callable[..., Person]) -> None:
    page = join_as("lior").page
    page.goto("/")
    assert page.evaluate(RESTARTED) == [["", "", "here"], ["open", "open"]]


def test_a_page_that_missed_the_move_follows_by_the_snapshot(join_as: Callable[..., Person]) -> None:
    """Not before the answer, which comes from the right node, nor in the middle of a move, which has its steps."""
    page = join_as("lior").page
    for node, connections in (
        ("here", ["open", "closed"]),
        ("", ["open", "closed"]),
        ("third", ["closed", "closed", "open"]),
    ):
        page.goto("/")
        assert page.evaluate(SNAPSHOTS, node) == [["open"], ["open", "open"], connections], node
