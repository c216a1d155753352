"""socket.js when its connection leads nowhere, as when the network is gone: nothing closes it."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.rig.browser.person import Person

pytestmark = pytest.mark.browser

# The fakes: a socket whose connections send nothing on their own. `replies` is the answer to a ping.
FAKES = """const { Socket } = await import("rooms/wire/socket.js");
  const connections = [], attempts = [];
  let replies = null;
  window.WebSocket = class {
    static OPEN = 1;
    readyState = 1;
    constructor() { connections.push(this); }
    say(frame) { this.onmessage({ data: JSON.stringify(frame) }); }
    send(text) { if (replies && JSON.parse(text).type === "ping") this.say({ ...replies, re: JSON.parse(text).id }); }
    close() { this.readyState = 3; }
  };
  const lost = (attempt) => attempts.push(attempt);
  const socket = new Socket("ws://nowhere", { frame() {}, lost, over() {} });
  socket.connect();
"""

# A socket whose first connection sends nothing but `says`, the answer to a ping. Returns the number of connections
# after a probe, and the attempts that were counted.
PROBED = f"""async (says) => {{
  {FAKES}
  replies = says;
  await Promise.all([socket.probe(), socket.probe()]);
  socket.disconnect();
  return [connections.length, attempts];
}}"""

# A command without an answer in time; `says` is the answer to pings. Returns the refusal and the number of connections.
UNANSWERED = f"""async (says) => {{
  {FAKES}
  replies = says;
  const refused = await socket.send("sync", {{}}, 50).catch((error) => error.code);
  await new Promise((done) => setTimeout(done, 1500));
  socket.disconnect();
  return [refused, connections.length];
}}"""

# Returns whether the fastest answer of one connection is known, and what is known of the next connection.
FASTEST = """async () => {
  const { Answers } = await import("rooms/wire/answers.js");
  const answers = new Answers({ late() {} });
  answers.expect((id) => setTimeout(() => answers.settle(id, { type: "ok" }), 20), 1000);
  await new Promise((done) => setTimeout(done, 100));
  const before = answers.fastest;
  answers.rejectAll();
  return [before > 0, answers.fastest];
}"""


@pytest.mark.parametrize(
    ("says", "becomes"),
    [
        (None, [2, [1]]),
        ({"type": "ok"}, [1, []]),
        ({"type": "levels", "levels": {}}, [1, []]),
        ({"type": "error", "code": "slow_down", "text": ""}, [1, []]),
    ],
    ids=["nothing", "the answer", "something else", "a refusal"],
)
def test_a_connection_over_which_nothing_comes_is_replaced(
    join_as: Callable[..., Person], says: dict[str, Any] | None, becomes: list[Any]
) -> None:
    page = join_as("lior").page
    page.goto("/")
    assert page.evaluate(PROBED, says) == becomes


@pytest.mark.parametrize(("says", "connections"), [(None, 2), ({"type": "ok"}, 1)], ids=["nothing", "pings"])
def test_a_command_without_an_answer_is_a_reason_to_look(
    join_as: Callable[..., Person], says: dict[str, Any] | None, connections: int
) -> None:
    """Listeners to files, and people in the queue, miss no packets when the network is gone."""
    page = join_as("lior").page
    page.goto("/")
    assert page.evaluate(UNANSWERED, says) == ["no_answer", connections]


def test_how_fast_one_network_was_says_nothing_of_the_next(join_as: Callable[..., Person]) -> None:
    page = join_as("lior").page
    page.goto("/")
    assert page.evaluate(FASTEST) == [True, 0]
