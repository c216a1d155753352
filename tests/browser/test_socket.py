"""socket.js where its connection leads nowhere, as over a network that is gone: nobody closes it."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.person import Person

pytestmark = pytest.mark.browser

# A socket whose first connection says nothing any more after its snapshot but what `says` answers to the page's ping.
# Gives the number of connections after one that was probed, and the attempts that were told.
PROBED = """(says) => import("rooms/socket.js").then(async ({ Socket }) => {
  const connections = [], attempts = [];
  window.WebSocket = class {
    static OPEN = 1;
    readyState = 1;
    constructor() { connections.push(this); }
    say(frame) { this.onmessage({ data: JSON.stringify(frame) }); }
    send(text) { if (says && JSON.parse(text).type === "ping") this.say({ ...says, re: JSON.parse(text).id }); }
    close() { this.readyState = 3; }
  };
  const lost = (attempt) => attempts.push(attempt);
  const socket = new Socket("ws://nowhere", { frame() {}, lost, over() {} });
  socket.connect();
  await Promise.all([socket.probe(), socket.probe()]);
  socket.disconnect();
  return [connections.length, attempts];
})"""


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
