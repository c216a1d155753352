"""A bad network between a Chromium and the media node: a relay of the benchmarks' rig, in a thread of its own."""

import asyncio
from threading import Thread

from bench.rig.relay import Network, Relay
from tests.rig.browser.person import Person

HOST = "127.0.0.1"
# The page gets the relay's port instead of the node's.
DETOUR = """const original = RTCPeerConnection.prototype.setRemoteDescription;
RTCPeerConnection.prototype.setRemoteDescription = function ({ type, sdp }) {
  return original.call(this, { type, sdp: sdp.replace(/^(a=candidate:.* )NODE (typ host)/gm, "$1RELAY $2") });
};"""


class Detour:
    """The way of one person's sound to the node and back; `with` starts and ends it. It is perfect at first."""

    def __init__(self, node_port: int) -> None:
        self._node_port = node_port
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> "Detour":
        self._thread.start()
        self._relay = asyncio.run_coroutine_threadsafe(self._open(), self._loop).result()
        return self

    async def _open(self) -> Relay:
        relay = Relay(HOST, seed=1)
        relay.connect((HOST, self._node_port))
        return relay

    def lead(self, person: Person) -> None:
        """Lead a page through the relay. Call it before the page connects."""
        ports = {"NODE": str(self._node_port), "RELAY": str(self._relay.inner[1])}
        script = DETOUR
        for name, port in ports.items():
            script = script.replace(name, port)
        person.page.add_init_script(script)

    def spoil(self, *, up: Network | None = None, down: Network | None = None) -> None:
        """Let the way to the node, or the way back, be like this from now on. A way that is not given is perfect."""
        self._loop.call_soon_threadsafe(self._change, up or Network(), down or Network())

    def _change(self, up: Network, down: Network) -> None:
        self._relay.up.network, self._relay.down.network = up, down

    def rebind(self, host: str = HOST) -> None:
        """Let the node see another address from now on."""
        self._loop.call_soon_threadsafe(self._relay.rebind, host)

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._relay.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
